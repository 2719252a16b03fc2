import { throwIfAborted } from '../../../platform/errors.ts';
import type { CollectionId } from '../../../store/ids.ts';
import { findTagsOf, type ImageTagRecord } from '../../../store/image-tags.ts';
import { listImages, type ImageRecord } from '../../../store/images.ts';
import type { Queryable } from '../../../store/transaction.ts';

export interface ExportRequest {
  readonly collectionId: CollectionId;
  /** A vocabulary's name; null: of any. */
  readonly vocabulary: string | null;
  /** Runs' tags that nobody accepted are left out below it, 0 to 1. */
  readonly minProbability: number;
  /** Only what people accepted or set. */
  readonly onlyAccepted: boolean;
  readonly signal: AbortSignal;
}

export interface TaggedImage {
  readonly image: ImageRecord;
  readonly tags: readonly ImageTagRecord[];
  /** Names of all its tags, of those that weren't asked for, too. */
  readonly names: ReadonlySet<string>;
}

/** Images of which the tags are read together. */
const PAGE = 1000;

/** A collection's images with their tags in the order they were added, a page at a time; also those without any. */
export async function* readTaggedImages(
  db: Queryable,
  request: ExportRequest,
): AsyncGenerator<readonly TaggedImage[]> {
  const { collectionId, signal } = request;
  for (let after: ImageRecord['id'] | null = null; ;) {
    throwIfAborted(signal);
    const images: readonly ImageRecord[] = await listImages(db, {
      ...{ collectionId, after, limit: PAGE },
    });
    const last = images.at(-1);
    if (last === undefined) return;
    after = last.id;
    const ids = images.map(({ id }) => id);
    const tags = await findTagsOf(db, ids);
    yield images.map((image) => withTags(image, tags.get(image.id) ?? [], request));
  }
}

function withTags(
  image: ImageRecord,
  tags: readonly ImageTagRecord[],
  request: ExportRequest,
): TaggedImage {
  const names = new Set(tags.map(({ label }) => label));
  return { image, names, tags: tags.filter((tag) => isWanted(tag, request)) };
}

function isWanted(
  { vocabulary, state, probability }: ImageTagRecord,
  { vocabulary: wanted, minProbability, onlyAccepted }: ExportRequest,
): boolean {
  if (wanted !== null && vocabulary !== wanted) return false;
  if (state === 'ACCEPTED') return true;
  return !onlyAccepted && (probability ?? 1) >= minProbability;
}
