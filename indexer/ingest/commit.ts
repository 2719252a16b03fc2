import { recordIndexed } from '../../store/changes.ts';
import { addEmbeddings, type NewEmbeddings } from '../../store/embeddings.ts';
import { readKeptSpaces } from '../../store/generations.ts';
import { replaceImportedTags, type ImportedKeywords } from '../../store/imported-tags.ts';
import { lockImagesAt, type FileOfImage } from '../../store/image-files.ts';
import {
  deleteImages,
  moveImages,
  putImages,
  type MovedImage,
  type NewImage,
} from '../../store/images.ts';
import type { CollectionId, ImageId, VisionSpaceId } from '../../store/ids.ts';
import type { Outcome } from '../../store/job-items.ts';
import type { Queryable } from '../../store/transaction.ts';
import { cleanKeywords } from './keywords/clean-keywords.ts';
import { findPresence, type Presence } from './image-file.ts';
import type { ReadBatch, ReadFile } from './read-batch.ts';
import { UnreadableImage } from './reasons.ts';

/** What an item's reason code says when it is DONE, or SKIPPED without fault. */
export type IngestOutcome =
  /** Decoded and embedded. */
  | 'EMBEDDED'
  /** Decoded; its bytes had an embedding. */
  | 'DECODED'
  /** Its bytes were known: not even decoded. */
  | 'REUSED'
  | 'MOVED'
  | 'REMOVED'
  | 'UNCHANGED'
  /** The vanished file was moved; the item of its new path says MOVED. */
  | 'MOVED_AWAY'
  /** Vanished before the scan, and there again. */
  | 'FOUND_AGAIN';

export type Outcomes = Map<bigint, Outcome>;

/** An image whose file was moved to a path that has none yet. */
export interface Move {
  readonly file: ReadFile;
  readonly image: FileOfImage;
}

export interface PreparedBatch {
  readonly batch: ReadBatch;
  /** The vision spaces that its images were embedded for. */
  readonly spaces: readonly VisionSpaceId[];
  readonly embeddings: readonly NewEmbeddings[];
  readonly moves: readonly Move[];
}

/**
 * Writes a batch: images, embeddings and index entries of every kept generation, in the caller's transaction. Gives the items' outcomes;
 * none when a generation was begun meanwhile that the batch wasn't embedded for: then it has to be done again.
 */
export async function commitBatch(
  client: Queryable,
  collectionId: CollectionId,
  { batch, spaces, embeddings, moves }: PreparedBatch,
): Promise<Outcomes> {
  const kept = await readKeptSpaces(client, collectionId);
  if ([...kept].some((space) => !spaces.includes(space))) return new Map();
  const outcomes: Outcomes = new Map();
  for (const [id, reason] of batch.failures) outcomes.set(id, outcomeOf(reason));
  const moved = await moveAll(client, moves, outcomes);
  const touched = batch.files.filter((file) => isTouched(batch, file));
  await touchAll(client, batch, touched, outcomes);
  const rest = batch.files.filter(({ itemId }) => !outcomes.has(itemId));
  const ids = await putImages(
    ...([client, collectionId] as const),
    rest.map((file) => toImage(file, batch)),
  );
  await replaceImportedTags(client, [
    ...rest.map((file, i) => keywordsOf(file, batch, ids[i])),
    ...touched.map((file) => keywordsOf(file, batch, batch.states.get(file.path)?.id)),
    ...moves.flatMap(({ file, image: { id } }) =>
      moved.includes(id) ? [keywordsOf(file, batch, id)] : [],
    ),
  ]);
  for (const ofSpace of embeddings) {
    if (kept.has(ofSpace.visionSpaceId)) await addEmbeddings(client, ofSpace);
  }
  for (const visionSpaceId of [...kept].sort()) {
    await recordIndexed(client, { collectionId, visionSpaceId }, [...ids, ...moved]);
  }
  const counted = new Set<string>();
  for (const { itemId, hash } of rest) {
    outcomes.set(itemId, done(reasonOf(batch, hash, !counted.has(hash))));
    counted.add(hash);
  }
  return outcomes;
}

/** What the file says of itself, and its sidecars beside it. */
function keywordsOf(
  { hash, keywords, path }: ReadFile,
  { descriptions }: ReadBatch,
  imageId: ImageId | undefined,
): ImportedKeywords {
  if (imageId === undefined) throw new Error(`The image ${path} has no id.`);
  const own = descriptions.get(hash)?.metadata['keywords'];
  const texts = Array.isArray(own) ? own.filter((text) => typeof text === 'string') : [];
  return { imageId, keywords: cleanKeywords([...texts, ...keywords]) };
}

/** Only the first image of the same bytes was decoded. */
function reasonOf({ decoded, toEmbed }: ReadBatch, hash: string, isFirst: boolean): IngestOutcome {
  if (!isFirst || !decoded.has(hash)) return 'REUSED';
  return toEmbed.has(hash) ? 'EMBEDDED' : 'DECODED';
}

function done(reasonCode: IngestOutcome): Outcome {
  return { kind: 'done', reasonCode };
}

const CHANGE_PAUSE_MS = 2000;

function outcomeOf({ reason: reasonCode, message }: UnreadableImage): Outcome {
  if (reasonCode !== 'CHANGED_WHILE_READ') return { kind: 'failed', reasonCode, message };
  return { kind: 'retry', reasonCode, message, notBefore: new Date(Date.now() + CHANGE_PAUSE_MS) };
}

/** The bytes are what the image at this path has: only the file's time is another. */
export function isTouched(
  { states, toEmbed }: ReadBatch,
  { path, hash, sha256 }: ReadFile,
): boolean {
  const state = states.get(path);
  return state !== undefined && Buffer.compare(state.sha256, sha256) === 0 && !toEmbed.has(hash);
}

async function touchAll(
  client: Queryable,
  { states }: ReadBatch,
  touched: readonly ReadFile[],
  outcomes: Outcomes,
): Promise<void> {
  const updates = touched.flatMap(({ path, mtimeNs, sourceId }): MovedImage[] => {
    const id = states.get(path)?.id;
    return id === undefined || sourceId === null ? [] : [{ id, path, fileMtimeNs: mtimeNs }];
  });
  if (updates.length > 0) await moveImages(client, updates);
  for (const { itemId } of touched) {
    outcomes.set(itemId, { kind: 'skipped', reasonCode: 'UNCHANGED' satisfies IngestOutcome });
  }
}

/** Moves what no other worker has moved meanwhile; the rest become images of their own. */
async function moveAll(
  client: Queryable,
  moves: readonly Move[],
  outcomes: Outcomes,
): Promise<readonly ImageId[]> {
  if (moves.length === 0) return [];
  const still = await lockImagesAt(
    client,
    moves.map(({ image }) => image),
  );
  const valid = moves.filter(({ image }) => still.has(image.id));
  const updates = valid.map(({ file: { path, mtimeNs, sourceId }, image: { id } }) => ({
    ...{ id, path, fileMtimeNs: mtimeNs },
    ...(sourceId === null ? {} : { sourceId }),
  }));
  if (updates.length > 0) await moveImages(client, updates);
  for (const { file } of valid) outcomes.set(file.itemId, done('MOVED'));
  return updates.map(({ id }) => id);
}

function toImage(
  { path, sourceId, sha256, hash, bytes, mtimeNs }: ReadFile,
  { descriptions }: ReadBatch,
): NewImage {
  const description = descriptions.get(hash);
  if (description === undefined) throw new Error(`Nothing is known of ${path}.`);
  return {
    ...description,
    ...{ path, sourceId, sha256, bytes },
    fileMtimeNs: sourceId === null ? null : mtimeNs,
  };
}

export interface Removal {
  readonly itemId: bigint;
  readonly imageId: ImageId;
  readonly path: string;
  /** Absolute; null: its source is gone. */
  readonly file: string | null;
}

/** Deletes images whose files are gone still, in the caller's transaction. Where the system doesn't tell, the item fails. */
export async function commitRemovals(
  client: Queryable,
  collectionId: CollectionId,
  removals: readonly Removal[],
): Promise<Outcomes> {
  const outcomes: Outcomes = new Map();
  const presences = await Promise.all(
    removals.map(async ({ file }): Promise<Presence> =>
      file === null ? 'gone' : await findPresence(file),
    ),
  );
  const gone = removals.filter((_, i) => presences[i] === 'gone');
  const still = await lockImagesAt(
    client,
    gone.map(({ imageId: id, path }) => ({ id, path })),
  );
  const ids = gone.map(({ imageId }) => imageId).filter((id) => still.has(id));
  const deleted = new Set(await deleteImages(client, collectionId, ids));
  for (const [i, { itemId, imageId }] of removals.entries()) {
    const presence = presences[i] ?? 'unknown';
    outcomes.set(itemId, deleted.has(imageId) ? done('REMOVED') : reasonToKeep(presence));
  }
  return outcomes;
}

function reasonToKeep(presence: Presence): Outcome {
  switch (presence) {
    case 'gone':
      return { kind: 'skipped', reasonCode: 'MOVED_AWAY' satisfies IngestOutcome };
    case 'there':
      return { kind: 'skipped', reasonCode: 'FOUND_AGAIN' satisfies IngestOutcome };
    case 'unknown':
      return outcomeOf(new UnreadableImage('UNREADABLE', "Whether it is gone can't be seen."));
  }
}
