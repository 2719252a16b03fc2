import { PlatformError } from '../../platform/errors.ts';
import type { Embedding } from '../../models/embedding.ts';
import { hexOf } from '../../store/embeddings.ts';
import type { ImageRecord } from '../../store/images.ts';
import type { VisionSpaceRecord } from '../../store/model-registry.ts';
import { getVisibleImage } from '../auth/visible.ts';
import type { Context } from '../context.ts';
import type { SearchInput, SearchTerm } from '../generated/resolvers.ts';
import type { Term } from './search-service.ts';

const MOST_TERMS = 8;
const LARGEST_WEIGHT = 10;

export interface ReadTerms {
  readonly terms: readonly Term[];
  /** What uploads took to become embeddings. */
  readonly encodedMs: number;
}

/** `text` or `terms`, with images and uploads as embeddings. Throws `BAD_USER_INPUT`, `NOT_FOUND`, `IMAGE_UNREADABLE`. */
export async function readTerms(
  context: Context,
  { text, terms }: Pick<SearchInput, 'text' | 'terms'>,
  visionSpace: VisionSpaceRecord,
): Promise<ReadTerms> {
  const isText = typeof text === 'string';
  if (isText === Array.isArray(terms)) throw bad('Give "text" or "terms", one of them.');
  if (isText) return { terms: [{ kind: 'text', text, weight: 1 }], encodedMs: 0 };
  const given = terms ?? [];
  if (given.length < 1 || given.length > MOST_TERMS) {
    throw bad(`"terms" takes 1 to ${MOST_TERMS}.`);
  }
  const startedAt = performance.now();
  const read = await Promise.all(given.map((term) => readTerm(context, term, visionSpace)));
  return { terms: read, encodedMs: performance.now() - startedAt };
}

async function readTerm(
  context: Context,
  { text, imageId, upload }: SearchTerm,
  visionSpace: VisionSpaceRecord,
): Promise<Term> {
  if (text) return { kind: 'text', text: text.text, weight: weightOf(text) };
  if (imageId) {
    const image = await getVisibleImage(context, imageId.imageId);
    const embedding = await loadEmbedding(context, image, visionSpace);
    const name = `image ${hexOf(image.sha256)}`;
    return { kind: 'embedding', name, embedding, weight: weightOf(imageId) };
  }
  const { services, signal } = context;
  const { uploadedImages } = services;
  const { sha256, embedding } = await uploadedImages.encode(
    ...([upload.upload, visionSpace.fingerprint, signal] as const),
  );
  return { kind: 'embedding', name: `image ${sha256}`, embedding, weight: weightOf(upload) };
}

function weightOf({ weight }: { readonly weight?: number | null | undefined }): number {
  const value = weight ?? 1;
  if (value !== 0 && Math.abs(value) <= LARGEST_WEIGHT) return value;
  throw bad(`A weight is from -${LARGEST_WEIGHT} to ${LARGEST_WEIGHT}, and not 0.`);
}

/** A stored image's embedding. Throws `GENERATION_NOT_READY` when it has none in this vision space. */
export async function loadEmbedding(
  { loaders }: Pick<Context, 'loaders'>,
  { sha256, path }: ImageRecord,
  visionSpace: VisionSpaceRecord,
): Promise<Embedding> {
  const vector = await loaders.vector.load({ visionSpaceId: visionSpace.id, sha256 });
  if (vector) return vector as Embedding;
  const message = `The image ${path} has no embedding in the vision space ${visionSpace.name} yet.`;
  throw new PlatformError('GENERATION_NOT_READY', message);
}

function bad(message: string): PlatformError {
  return new PlatformError('BAD_USER_INPUT', message);
}
