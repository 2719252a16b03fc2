import { open } from 'node:fs/promises';
import type { Embedding } from '../../models/embedding.ts';
import { messageOf } from '../../platform/errors.ts';
import type { IndexKey } from '../../store/changes.ts';
import { hexOf, readEmbeddings } from '../../store/embeddings.ts';
import { findImagesByIds, type ImageRecord } from '../../store/images.ts';
import { asImageId, type CollectionId } from '../../store/ids.ts';
import { listSources } from '../../store/sources.ts';
import type { Queryable } from '../../store/transaction.ts';
import { locateImage } from '../ingest/image-file.ts';
import { UnreadableImage } from '../ingest/reasons.ts';
import { scanIndex } from './check-vectors.ts';
import type { VisionModel } from '../../models/loaded-models.ts';
import type { Check, VerifyServices } from './verify.ts';

interface SampleServices extends Omit<VerifyServices, 'models'> {
  /** Of the vision space. */
  readonly vision: VisionModel;
}

/** Between a stored embedding and one made again from the file. */
const LEAST_COSINE = 0.9999;
/** Between the scores of a picture and a copy of it. */
const TIE = 1e-6;

export interface SampleOptions {
  readonly sample: number;
  readonly signal: AbortSignal;
}

/** A random sample of images, each compared with its file, searched for, and its thumbnail looked at. */
export async function checkSample(
  services: SampleServices,
  key: IndexKey,
  { sample, signal }: SampleOptions,
): Promise<readonly Check[]> {
  const { pool } = services.database;
  const images = await pickImages(pool, key.collectionId, sample);
  const stored = await readEmbeddings(
    ...([pool, key.visionSpaceId] as const),
    images.map(({ sha256 }) => sha256),
  );
  return [
    await checkFiles(services, images, stored, signal),
    await checkNearest(pool, key, images, stored),
    await checkThumbnails(services, images),
  ];
}

async function pickImages(
  db: Queryable,
  collectionId: CollectionId,
  limit: number,
): Promise<readonly ImageRecord[]> {
  const { rows } = await db.query<{ id: string }>(
    'SELECT id FROM images WHERE collection_id = $1 ORDER BY random() LIMIT $2',
    [collectionId, limit],
  );
  return findImagesByIds(
    db,
    rows.map(({ id }) => asImageId(id)),
  );
}

async function checkFiles(
  services: SampleServices,
  images: readonly ImageRecord[],
  stored: ReadonlyMap<string, Float32Array>,
  signal: AbortSignal,
): Promise<Check> {
  const violations: string[] = [];
  const notes: string[] = [];
  for (const image of images) {
    const before = stored.get(hexOf(image.sha256));
    if (before === undefined) continue; // another check says so
    try {
      const now = await embedAgain(services, image, signal);
      const similarity = now === null ? 1 : dot(before, now, 0);
      if (!(similarity >= LEAST_COSINE)) {
        violations.push(`image ${image.id} ${image.path} embedded again has cosine ${similarity}`);
      }
    } catch (error) {
      const isAway = error instanceof UnreadableImage || isNotFound(error);
      if (!isAway) throw error;
      notes.push(`${image.path}: ${messageOf(error)}`);
    }
  }
  const name = 'a sample embedded again from its files gives the same vectors';
  return { name, looked: images.length - notes.length, violations, notes };
}

async function embedAgain(
  { database, decoder, vision, uploads }: SampleServices,
  image: ImageRecord,
  signal: AbortSignal,
): Promise<Embedding | null> {
  const sources = await listSources(database.prisma, image.collectionId);
  const source = sources.find(({ id }) => id === image.sourceId) ?? null;
  const path = await locateImage(image, source, uploads);
  const task = { input: vision.input, expectedSha256: hexOf(image.sha256) };
  const { pixels } = await decoder.decode({ path }, task, signal);
  if (pixels === null) return null;
  const [embedding] = await (await vision.encoder()).encodePixels([pixels], { signal });
  return embedding ?? null;
}

function isNotFound(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'NOT_FOUND';
}

/** Compares each with every vector of the index: nothing may be nearer than the picture itself or a copy. */
async function checkNearest(
  db: Queryable,
  key: IndexKey,
  images: readonly ImageRecord[],
  stored: ReadonlyMap<string, Float32Array>,
): Promise<Check> {
  const queries = images.flatMap(({ id, sha256 }) => {
    const vector = stored.get(hexOf(sha256));
    return vector === undefined ? [] : [{ id, vector, own: -1, best: { id: 0n, score: -2 } }];
  });
  for await (const { ids, vectors } of scanIndex(db, key)) {
    const width = vectors.length / Math.max(1, ids.length);
    for (const query of queries) {
      for (let row = 0; row < ids.length; row++) {
        const id = ids[row] ?? 0n;
        const score = dot(query.vector, vectors, row * width);
        if (id === query.id) query.own = score;
        if (score > query.best.score) query.best = { id, score };
      }
    }
  }
  const violations = queries
    .filter(({ own, best }) => best.score > own + TIE)
    .map(({ id, own, best }) => `image ${id} scores ${own}, image ${best.id} scores ${best.score}`);
  const name = 'a sample is found first by its own vector';
  return { name, looked: queries.length, violations, notes: [] };
}

function dot(query: Float32Array, vectors: Float32Array, start: number): number {
  let sum = 0;
  for (let i = 0; i < query.length; i++) sum += (query[i] ?? 0) * (vectors[start + i] ?? 0);
  return sum;
}

/** Those that are made must be WebP; the others are made when somebody wants them. */
async function checkThumbnails(
  { thumbnails }: SampleServices,
  images: readonly ImageRecord[],
): Promise<Check> {
  const violations: string[] = [];
  let looked = 0;
  for (const { id, sha256 } of images) {
    const path = await thumbnails.find(sha256, 'MEDIUM');
    if (path === null) continue;
    looked++;
    if (!(await isWebp(path))) violations.push(`the thumbnail of image ${id} is damaged: ${path}`);
  }
  return { name: "a sample's thumbnails are whole", looked, violations, notes: [] };
}

async function isWebp(path: string): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    const { buffer } = await file.read(Buffer.alloc(12), 0, 12, 0);
    const { size } = await file.stat();
    return buffer.toString('latin1', 8) === 'WEBP' && buffer.readUInt32LE(4) + 8 === size;
  } finally {
    await file.close();
  }
}
