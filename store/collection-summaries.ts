import { groupBy } from '../platform/group-by.ts';
import type { PrismaClient } from './database.ts';
import { listSourcesOf, type SourceRecord } from './sources.ts';
import { toGenerationRecord, type GenerationRecord } from './generations.ts';
import type { CollectionId, GenerationId, ImageId, VisionSpaceId } from './ids.ts';
import type { Queryable } from './transaction.ts';

/*
 * Reads of many collections or images at once, for loaders: each takes keys and gives a map, so that a page of a hundred costs
 * as many statements as a page of one.
 */

export async function countImagesOf(
  db: Queryable,
  ids: readonly CollectionId[],
): Promise<ReadonlyMap<string, number>> {
  const { rows } = await db.query<{ collection_id: string; count: string }>(
    `SELECT collection_id, count(*) FROM images WHERE collection_id = ANY($1::uuid[])
     GROUP BY collection_id`,
    [ids],
  );
  return new Map(rows.map((row) => [row.collection_id, Number(row.count)]));
}

export async function findSourcesOf(
  prisma: PrismaClient,
  ids: readonly CollectionId[],
): Promise<ReadonlyMap<string, readonly SourceRecord[]>> {
  return groupBy(await listSourcesOf(prisma, ids), ({ collectionId }) => collectionId);
}

export async function findLiveGenerationsOf(
  prisma: PrismaClient,
  ids: readonly CollectionId[],
): Promise<ReadonlyMap<string, GenerationRecord>> {
  const rows = await prisma.generation.findMany({
    where: { collectionId: { in: [...ids] }, state: 'LIVE' },
  });
  return new Map(rows.map((row) => [row.collectionId, toGenerationRecord(row)]));
}

export async function findGenerationsByIds(
  prisma: PrismaClient,
  ids: readonly GenerationId[],
): Promise<ReadonlyMap<string, GenerationRecord>> {
  const rows = await prisma.generation.findMany({ where: { id: { in: [...ids] } } });
  return new Map(rows.map((row) => [row.id, toGenerationRecord(row)]));
}

export interface StoredEmbedding {
  readonly visionSpaceId: VisionSpaceId;
  readonly sha256: Uint8Array;
  readonly createdAt: Date;
}

/** Where images stand in their collections' live generations; by image id. Those without an embedding are left out. */
export async function findLiveEmbeddings(
  db: Queryable,
  ids: readonly ImageId[],
): Promise<ReadonlyMap<ImageId, StoredEmbedding>> {
  const { rows } = await db.query<EmbeddingRow>(
    `SELECT n.image_id, e.vision_space_id, e.sha256, e.created_at
     FROM index_entries n
     JOIN generations g ON g.collection_id = n.collection_id AND g.vision_space_id = n.vision_space_id
       AND g.state = 'LIVE'
     JOIN embeddings e ON e.vision_space_id = n.vision_space_id AND e.sha256 = n.sha256
     WHERE n.image_id = ANY($1::bigint[])`,
    [ids],
  );
  return new Map(
    rows.map((row) => [
      BigInt(row.image_id) as ImageId,
      {
        visionSpaceId: row.vision_space_id as VisionSpaceId,
        sha256: row.sha256,
        createdAt: row.created_at,
      },
    ]),
  );
}

interface EmbeddingRow {
  readonly image_id: string;
  readonly vision_space_id: string;
  readonly sha256: Buffer;
  readonly created_at: Date;
}
