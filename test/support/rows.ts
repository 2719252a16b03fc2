import { createHash } from 'node:crypto';
import { createCollection } from '../../store/collections.ts';
import type { Database } from '../../store/database.ts';
import { addEmbeddings } from '../../store/embeddings.ts';
import { recordIndexed, type IndexKey } from '../../store/changes.ts';
import type { ImageId } from '../../store/ids.ts';
import { putImages, type NewImage } from '../../store/images.ts';
import { registerVisionSpace } from '../../store/model-registry.ts';
import { inTransaction, type Queryable } from '../../store/transaction.ts';

export const DIMENSIONS = 4;

/** A time that tests reckon from. */
export const NOON = new Date('2026-05-01T12:00:00Z');

export function secondsLater(seconds: number): Date {
  return new Date(NOON.getTime() + seconds * 1000);
}

let count = 0;

/** A name no other row has. */
export function freshName(what: string): string {
  count++;
  return `${what} ${count}`;
}

/** A new collection and a new vision space of four dimensions. */
export async function newIndex({ prisma }: Database): Promise<IndexKey> {
  const collection = await createCollection(prisma, { name: freshName('photos') });
  const space = await registerVisionSpace(prisma, {
    ...{ fingerprint: freshName('fingerprint'), name: 'letters', backbone: 'letters' },
    dimensions: DIMENSIONS,
  });
  return { collectionId: collection.id, visionSpaceId: space.id };
}

export function sha256Of(content: string): Buffer {
  return createHash('sha256').update(content).digest();
}

/** A unit vector that differs from content to content. */
export function vectorOf(content: string): Float32Array {
  const values = Float32Array.from(sha256Of(content).subarray(0, DIMENSIONS), (byte) => byte + 1);
  const length = Math.hypot(...values);
  return values.map((value) => value / length);
}

export function imageWith(overrides: Partial<NewImage> & { content?: string } = {}): NewImage {
  const path = freshName('image');
  const { content = path, ...rest } = overrides;
  return {
    sourceId: null,
    path,
    sha256: sha256Of(content),
    ...{ width: 40, height: 30, bytes: 1234, format: 'JPEG', takenAt: null, metadata: {} },
    fileMtimeNs: null,
    ...rest,
  };
}

/** Stores pictures of these contents with their embeddings, searchable when the transaction commits. */
export async function indexImages(
  client: Queryable,
  key: IndexKey,
  contents: readonly string[],
): Promise<readonly ImageId[]> {
  const ids = await putImages(
    client,
    key.collectionId,
    contents.map((content) => imageWith({ content })),
  );
  const vectors = contents.map((content) => vectorOf(content));
  await addEmbeddings(client, {
    visionSpaceId: key.visionSpaceId,
    sha256s: contents.map(sha256Of),
    vectors: Float32Array.from(vectors.flatMap((vector) => [...vector])),
  });
  await recordIndexed(client, key, ids);
  return ids;
}

export function indexed(
  { pool }: Database,
  key: IndexKey,
  contents: readonly string[],
): Promise<readonly ImageId[]> {
  return inTransaction(pool, (client) => indexImages(client, key, contents));
}
