import type { Pool } from 'pg';
import { PlatformError } from '../platform/errors.ts';
import type { GenerationState } from './generated/prisma/client.ts';
import { lockGenerations, type GenerationCheck, type NewGeneration } from './generations.ts';
import {
  asCollectionId,
  asGenerationId,
  type CollectionId,
  type GenerationId,
  type JobId,
} from './ids.ts';
import { requirePlanned } from './job-items.ts';
import { storableJson } from './storable-json.ts';
import { inTransaction, type Queryable } from './transaction.ts';

export interface Begun {
  readonly id: GenerationId;
  /** It was complete before: its vectors are replaced in place. */
  readonly isComplete: boolean;
}

/**
 * The generation that a job builds: the collection's kept one in the vision space, or a new one. From its commit on new images
 * go to it too. Beginning it again for the same job changes nothing. Throws CONFLICT when the job isn't PLANNED any more, or another
 * job is building there.
 */
export async function beginGeneration(
  pool: Pool,
  jobId: JobId,
  { collectionId, visionSpaceId, textModelId }: NewGeneration,
): Promise<Begun> {
  return inTransaction(pool, async (client) => {
    await client.query('SELECT FROM jobs WHERE id = $1 FOR SHARE', [jobId]); // cancelling it waits
    await requirePlanned(client, jobId);
    await lockGenerations(client, collectionId);
    const kept = await findKept(client, collectionId, visionSpaceId);
    if (kept === null) {
      const id = await insert(client, jobId, { collectionId, visionSpaceId, textModelId });
      return { id, isComplete: false };
    }
    if (kept.otherJob !== null && kept.otherJob !== jobId) throw beingBuilt(kept.otherJob);
    const isComplete = COMPLETE.has(kept.state);
    await client.query(
      `UPDATE generations SET job_id = $2, text_model_id = coalesce(text_model_id, $3),
         state = CASE WHEN state = 'FAILED' THEN 'BUILDING' ELSE state END
       WHERE id = $1`,
      [kept.id, jobId, textModelId],
    );
    return { id: kept.id, isComplete };
  });
}

/** States of a generation that holds all images. */
export const COMPLETE: ReadonlySet<GenerationState> = new Set(['READY', 'LIVE', 'RETIRED']);

interface Kept {
  readonly id: GenerationId;
  readonly state: GenerationState;
  /** A job that isn't over and builds it. */
  readonly otherJob: string | null;
}

async function findKept(
  client: Queryable,
  collectionId: CollectionId,
  visionSpaceId: string,
): Promise<Kept | null> {
  const { rows } = await client.query<Kept>(
    `SELECT g.id, g.state, j.id AS "otherJob" FROM generations g LEFT JOIN jobs j
       ON j.id = g.job_id AND j.state IN ('PLANNED', 'QUEUED', 'RUNNING', 'PAUSED')
     WHERE g.collection_id = $1 AND g.vision_space_id = $2 AND g.discarded_at IS NULL`,
    [collectionId, visionSpaceId],
  );
  return rows[0] ?? null;
}

async function insert(
  client: Queryable,
  jobId: JobId,
  { collectionId, visionSpaceId, textModelId }: NewGeneration,
): Promise<GenerationId> {
  const { rows } = await client.query<{ id: string }>(
    `INSERT INTO generations (collection_id, vision_space_id, text_model_id, job_id, number)
     SELECT $1, $2, $3, $4, 1 + coalesce(max(number), 0) FROM generations WHERE collection_id = $1
     RETURNING id`,
    [collectionId, visionSpaceId, textModelId, jobId],
  );
  return asGenerationId(rows[0]?.id ?? '');
}

function beingBuilt(jobId: string): PlatformError {
  const message = `The job ${jobId} is embedding the collection into this vision space: wait for it, or cancel it.`;
  return new PlatformError('CONFLICT', message);
}

/** Writes what a job's checks found: a BUILDING or READY generation is READY then, or FAILED; one that is or was live stays so. */
export async function settleGeneration(
  client: Queryable,
  { id, jobId }: { readonly id: GenerationId; readonly jobId: JobId },
  checks: readonly GenerationCheck[],
): Promise<void> {
  const state = checks.every(({ passed }) => passed) ? 'READY' : 'FAILED';
  await client.query(
    `UPDATE generations SET checks = $2, state = CASE WHEN state = 'BUILDING' OR state = 'READY' THEN $3::generation_state ELSE state END
     WHERE id = $1 AND job_id = $4 AND discarded_at IS NULL`,
    [id, storableJson(checks), state, jobId],
  );
}

/**
 * Makes a READY or RETIRED generation the live one, at one moment for all readers. The one before is kept for a roll-back; what
 * was kept so before it is discarded. Throws CONFLICT otherwise, and when the generation has no text model.
 */
export async function promoteGeneration(pool: Pool, id: GenerationId, now: Date): Promise<void> {
  await inTransaction(pool, async (client) => {
    const collectionId = await lockCollectionOf(client, id);
    const { rows } = await client.query<Candidate>(
      `SELECT state, text_model_id AS "textModelId", discarded_at AS "discardedAt" FROM generations WHERE id = $1`,
      [id],
    );
    requirePromotable(rows[0]);
    await switchTo(client, collectionId, id, now);
  });
}

interface Candidate {
  readonly state: GenerationState;
  readonly textModelId: string | null;
  readonly discardedAt: Date | null;
}

function requirePromotable(candidate: Candidate | undefined): void {
  const { state, textModelId = null, discardedAt = null } = candidate ?? {};
  if (state === 'LIVE') throw conflict('The generation is live already.');
  if (discardedAt !== null) throw conflict('The generation was discarded: start a reindex.');
  if (state !== 'READY' && state !== 'RETIRED') {
    throw conflict(`The generation is ${state}; it would have to be READY or RETIRED.`);
  }
  if (textModelId === null) {
    throw conflict('No text model of its vision space is known: train one, and add its bundle.');
  }
}

async function switchTo(
  client: Queryable,
  collectionId: CollectionId,
  id: GenerationId,
  now: Date,
): Promise<void> {
  await client.query(
    `UPDATE generations SET discarded_at = $3
     WHERE collection_id = $1 AND state = 'RETIRED' AND id <> $2 AND discarded_at IS NULL`,
    [collectionId, id, now],
  );
  await client.query(
    `UPDATE generations SET state = 'RETIRED', retired_at = $2 WHERE collection_id = $1 AND state = 'LIVE'`,
    [collectionId, now],
  );
  await client.query("UPDATE generations SET state = 'LIVE', promoted_at = $2 WHERE id = $1", [
    id,
    now,
  ]);
}

/** Makes the generation live again that was live before; gives its id. Throws CONFLICT when none is kept. */
export async function rollbackGeneration(
  pool: Pool,
  collectionId: CollectionId,
  now: Date,
): Promise<GenerationId> {
  return inTransaction(pool, async (client) => {
    await lockGenerations(client, collectionId);
    const { rows } = await client.query<{ id: string }>(
      `SELECT id FROM generations WHERE collection_id = $1 AND state = 'RETIRED' AND discarded_at IS NULL
       ORDER BY retired_at DESC LIMIT 1`,
      [collectionId],
    );
    const found = rows[0];
    if (found === undefined) {
      throw conflict('No earlier generation is kept: there is nothing to go back to.');
    }
    const id = asGenerationId(found.id);
    await switchTo(client, collectionId, id, now);
    return id;
  });
}

/** Gives a generation up; its rows are reclaimed later (reclaim.ts). Throws CONFLICT when it is live or being built. */
export async function discardGeneration(pool: Pool, id: GenerationId, now: Date): Promise<void> {
  await inTransaction(pool, async (client) => {
    const collectionId = await lockCollectionOf(client, id);
    const { rows } = await client.query<Candidate & { visionSpaceId: string }>(
      `SELECT state, discarded_at AS "discardedAt", vision_space_id AS "visionSpaceId" FROM generations WHERE id = $1`,
      [id],
    );
    const { state, discardedAt, visionSpaceId = '' } = rows[0] ?? {};
    if (state === 'LIVE') throw conflict('The generation is live: promote another one first.');
    if (discardedAt != null) throw conflict('The generation was discarded already.');
    const kept = await findKept(client, collectionId, visionSpaceId);
    if (kept !== null && kept.otherJob !== null) throw beingBuilt(kept.otherJob);
    await client.query(
      `UPDATE generations SET discarded_at = $2,
         state = CASE WHEN state = 'READY' THEN 'RETIRED' WHEN state = 'BUILDING' THEN 'FAILED' ELSE state END
       WHERE id = $1`,
      [id, now],
    );
  });
}

async function lockCollectionOf(client: Queryable, id: GenerationId): Promise<CollectionId> {
  const { rows } = await client.query<{ collection_id: string }>(
    'SELECT collection_id FROM generations WHERE id = $1',
    [id],
  );
  const found = rows[0];
  if (found === undefined) throw new PlatformError('NOT_FOUND', `There is no generation ${id}.`);
  const collectionId = asCollectionId(found.collection_id);
  await lockGenerations(client, collectionId);
  return collectionId;
}

function conflict(message: string): PlatformError {
  return new PlatformError('CONFLICT', message);
}
