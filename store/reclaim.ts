import type { Pool } from 'pg';
import { lockForReclaiming } from './changes.ts';
import {
  asCollectionId,
  asGenerationId,
  asVisionSpaceId,
  type GenerationId,
  type VisionSpaceId,
} from './ids.ts';
import { inTransaction, type Queryable } from './transaction.ts';
import type { IndexKey } from './changes.ts';

export interface DiscardedGeneration extends IndexKey {
  readonly id: GenerationId;
}

/** Discarded generations whose rows are there still, oldest first. */
export async function listDiscarded(db: Queryable): Promise<readonly DiscardedGeneration[]> {
  const { rows } = await db.query<{ id: string; collection: string; space: string }>(
    `SELECT id, collection_id AS collection, vision_space_id AS space FROM generations
     WHERE discarded_at IS NOT NULL AND reclaimed_at IS NULL ORDER BY discarded_at`,
  );
  return rows.map(({ id, collection, space }) => ({
    id: asGenerationId(id),
    collectionId: asCollectionId(collection),
    visionSpaceId: asVisionSpaceId(space),
  }));
}

/** Rows of one statement: some 100 ms, during which commits of the vision space wait. */
const BATCH = 5000;

/**
 * Deletes the next rows of a discarded generation: index entries, unless a later generation of the collection has the vision space
 * again, then embeddings in that space whose bytes no collection with a kept generation there has. Gives how many; 0: it is done, and
 * marked as reclaimed.
 */
export async function reclaimBatch(
  pool: Pool,
  { id, ...key }: DiscardedGeneration,
  now: Date,
): Promise<number> {
  return inTransaction(pool, async (client) => {
    await lockForReclaiming(client, key.visionSpaceId);
    const entries = await deleteEntries(client, key);
    if (entries > 0) return entries;
    const embeddings = await deleteUnusedEmbeddings(client, key.visionSpaceId, BATCH);
    if (embeddings > 0) return embeddings;
    await client.query('UPDATE generations SET reclaimed_at = $2 WHERE id = $1', [id, now]);
    return 0;
  });
}

async function deleteEntries(
  client: Queryable,
  { collectionId, visionSpaceId }: IndexKey,
): Promise<number> {
  const { rowCount } = await client.query(
    `DELETE FROM index_entries WHERE vision_space_id = $2 AND image_id IN (
       SELECT image_id FROM index_entries WHERE collection_id = $1 AND vision_space_id = $2
         AND NOT EXISTS (SELECT FROM generations
           WHERE collection_id = $1 AND vision_space_id = $2 AND discarded_at IS NULL)
       LIMIT $3)`,
    [collectionId, visionSpaceId, BATCH],
  );
  return rowCount ?? 0;
}

/** Removes embeddings whose bytes no collection needs in the space; gives how many. Hold `lockForReclaiming`. */
export async function deleteUnusedEmbeddings(
  client: Queryable,
  visionSpaceId: VisionSpaceId,
  limit: number,
): Promise<number> {
  const { rowCount } = await client.query(
    `DELETE FROM embeddings WHERE vision_space_id = $1 AND sha256 IN (
       SELECT sha256 FROM embeddings e WHERE vision_space_id = $1
         AND NOT EXISTS (
           SELECT FROM images i JOIN generations g ON g.collection_id = i.collection_id
           WHERE i.sha256 = e.sha256 AND g.vision_space_id = $1 AND g.discarded_at IS NULL)
       LIMIT $2)`,
    [visionSpaceId, limit],
  );
  return rowCount ?? 0;
}

/** Who starts jobs by itself; see indexer/schedule/. */
const UNATTENDED = ['schedule', 'watcher'];
/** Jobs of one statement: each has an item a file. */
const MOST_SCANS = 10;

/**
 * Deletes ingests that nobody asked for, were over before `until`, and changed nothing. Each has a row for every file, so that a rescan a
 * minute would fill the database. Gives how many.
 */
export async function forgetIdleScans(db: Queryable, until: Date): Promise<number> {
  const { rowCount } = await db.query(
    `DELETE FROM jobs WHERE id IN (
       SELECT id FROM jobs j WHERE kind = 'INGEST' AND created_by = ANY($1) AND state = 'SUCCEEDED' AND finished_at < $2
         AND NOT EXISTS (SELECT FROM job_items WHERE job_id = j.id AND state IN ('DONE', 'FAILED'))
       ORDER BY finished_at LIMIT $3)`,
    [UNATTENDED, until, MOST_SCANS],
  );
  return rowCount ?? 0;
}
