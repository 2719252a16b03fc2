import type { Pool } from 'pg';
import { lockForReclaiming, type IndexKey } from './changes.ts';
import { hexOf } from './embeddings.ts';
import {
  asCollectionId,
  asGenerationId,
  asVisionSpaceId,
  type GenerationId,
  type VisionSpaceId,
} from './ids.ts';
import { inTransaction, type Queryable } from './transaction.ts';

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

/** Rows of one transaction. */
const BATCH = 5000;

/**
 * Deletes the rows of a discarded generation: index entries, unless a later generation of the collection has the vision space again,
 * then embeddings in that space whose bytes no collection with a kept generation there has. A batch at a time, with the number of its
 * rows; at the end the generation is marked as reclaimed.
 */
export async function* reclaim(
  pool: Pool,
  { id, ...key }: DiscardedGeneration,
  now: Date,
): AsyncGenerator<number, void> {
  for (;;) {
    const deleted = await inTransaction(pool, (client) => deleteEntries(client, key));
    if (deleted === 0) break;
    yield deleted;
  }
  let after: Uint8Array = Buffer.alloc(0);
  for (;;) {
    const unused = await findUnused(pool, key.visionSpaceId, after);
    const last = unused.at(-1);
    if (last === undefined) break;
    after = last;
    yield await inTransaction(pool, (client) => deleteUnused(client, key, unused));
  }
  await pool.query('UPDATE generations SET reclaimed_at = $2 WHERE id = $1', [id, now]);
}

/** The collection's lock keeps those away who take images out of the same rows. */
async function deleteEntries(client: Queryable, key: IndexKey): Promise<number> {
  await lockForReclaiming(client, key);
  const { rowCount } = await client.query(
    `DELETE FROM index_entries WHERE vision_space_id = $2 AND image_id IN (
       SELECT image_id FROM index_entries WHERE collection_id = $1 AND vision_space_id = $2
         AND NOT EXISTS (SELECT FROM generations
           WHERE collection_id = $1 AND vision_space_id = $2 AND discarded_at IS NULL)
       LIMIT $3)`,
    [key.collectionId, key.visionSpaceId, BATCH],
  );
  return rowCount ?? 0;
}

/** Of `embeddings e` in the vision space $1. */
const IS_UNUSED = `NOT EXISTS (
  SELECT FROM images i JOIN generations g ON g.collection_id = i.collection_id
  WHERE i.sha256 = e.sha256 AND g.vision_space_id = $1 AND g.discarded_at IS NULL)`;

/** Without a lock: some may be used by the time they are to be deleted. */
async function findUnused(
  db: Queryable,
  visionSpaceId: VisionSpaceId,
  after: Uint8Array,
): Promise<readonly Uint8Array[]> {
  const { rows } = await db.query<{ sha256: Buffer }>(
    `SELECT sha256 FROM embeddings e WHERE vision_space_id = $1 AND sha256 > $2 AND ${IS_UNUSED}
     ORDER BY sha256 LIMIT $3`,
    [visionSpaceId, after, BATCH],
  );
  return rows.map(({ sha256 }) => sha256);
}

async function deleteUnused(
  client: Queryable,
  key: IndexKey,
  sha256s: readonly Uint8Array[],
): Promise<number> {
  await lockForReclaiming(client, key);
  const { rowCount } = await client.query(
    `DELETE FROM embeddings e WHERE vision_space_id = $1
       AND sha256 IN (SELECT decode(unnest($2::text[]), 'hex')) AND ${IS_UNUSED}`,
    [key.visionSpaceId, sha256s.map(hexOf)],
  );
  return rowCount ?? 0;
}

/** Who starts jobs by itself; see indexer/schedule/. */
const UNATTENDED = ['schedule', 'watcher'];
/** Jobs of one statement: each has an item a file. */
const MOST_SCANS = 10;

/**
 * Deletes ingests that nobody asked for, were over before `until`, and changed nothing; what they refused the next one refuses again. Each has a row for every file, so that a rescan a
 * minute would fill the database. Gives how many.
 */
export async function forgetIdleScans(db: Queryable, until: Date): Promise<number> {
  const { rowCount } = await db.query(
    `DELETE FROM jobs WHERE id IN (
       SELECT id FROM jobs j WHERE kind = 'INGEST' AND created_by = ANY($1) AND state = 'SUCCEEDED' AND finished_at < $2
         AND NOT EXISTS (SELECT FROM job_items WHERE job_id = j.id
           AND (state = 'DONE' OR state = 'FAILED' AND payload->>'task' IS DISTINCT FROM 'refuse'))
       ORDER BY finished_at LIMIT $3)`,
    [UNATTENDED, until, MOST_SCANS],
  );
  return rowCount ?? 0;
}
