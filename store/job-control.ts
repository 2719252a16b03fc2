import type { Pool } from 'pg';
import { PlatformError } from '../platform/errors.ts';
import type { JobState } from './generated/prisma/client.ts';
import type { JobId } from './ids.ts';
import { inTransaction, type Queryable } from './transaction.ts';

/** All items are there; workers may begin. `plan` says what they will do. */
export async function queueJob(db: Queryable, id: JobId, plan: object): Promise<void> {
  await move(db, id, { from: ['PLANNED'], to: 'QUEUED', and: 'plan = $4', values: [plan] });
}

/** What a dry run found; the job stays PLANNED. */
export async function setPlan(db: Queryable, id: JobId, plan: object): Promise<void> {
  await move(db, id, { from: ['PLANNED'], to: 'PLANNED', and: 'plan = $4', values: [plan] });
}

/** Workers finish the batch they have and take no more. */
export async function pauseJob(db: Queryable, id: JobId): Promise<void> {
  await move(db, id, { from: ['QUEUED', 'RUNNING'], to: 'PAUSED' });
}

export async function resumeJob(db: Queryable, id: JobId): Promise<void> {
  await move(db, id, { from: ['PAUSED'], to: 'QUEUED' });
}

/** Open items become SKIPPED, also those that a worker has: what it brings is refused. Done items stay done. */
export async function cancelJob(pool: Pool, id: JobId, now: Date): Promise<void> {
  await end(pool, id, { to: 'CANCELLED', reasonCode: 'CANCELLED', result: null, now });
}

/** What is said of items that a job never came to because it failed as a whole. */
const JOB_FAILED = 'JOB_FAILED';

/** The job as a whole can't go on. */
export async function failJob(pool: Pool, id: JobId, message: string, now: Date): Promise<void> {
  await end(pool, id, { to: 'FAILED', reasonCode: JOB_FAILED, result: { message }, now });
}

/** Ends a job whose every item has an outcome, and with it a generation whose checks never came to an end; false while there are open ones, or when it isn't for workers now. */
export async function finishJob(
  db: Queryable,
  id: JobId,
  { result, now }: { result: object | null; now: Date },
): Promise<boolean> {
  const { rowCount } = await db.query(
    `WITH ended AS (
       UPDATE jobs SET state = 'SUCCEEDED', result = $2, finished_at = $3, started_at = coalesce(started_at, $3)
       WHERE id = $1 AND state IN ('QUEUED', 'RUNNING') AND NOT EXISTS (
         SELECT FROM job_items WHERE job_id = $1 AND state IN ('PENDING', 'RUNNING'))
       RETURNING id), abandoned AS (
       UPDATE generations SET state = 'FAILED' FROM ended WHERE job_id = ended.id AND state = 'BUILDING')
     SELECT FROM ended`,
    [id, result, now],
  );
  return rowCount === 1;
}

/**
 * Failed items are tried again, as often as new ones, and so are those that a job which failed as a whole never came to. A
 * job that was over is queued again, and planned again where its planning had failed. Gives how many items. A job that
 * SUCCEEDED without failures stays as it is.
 */
export async function retryFailedItems(pool: Pool, id: JobId): Promise<number> {
  return inTransaction(pool, async (client) => {
    await requireState(client, id, ['QUEUED', 'RUNNING', 'PAUSED', 'SUCCEEDED', 'FAILED']);
    await takeGenerationBack(client, id);
    const { rowCount } = await client.query(
      `UPDATE job_items SET state = 'PENDING', attempts = 0, lost_leases = 0, not_before = NULL,
         reason_code = NULL, message = NULL, finished_at = NULL
       WHERE job_id = $1 AND (state = 'FAILED' OR state = 'SKIPPED' AND reason_code = $2)`,
      [id, JOB_FAILED],
    );
    const count = rowCount ?? 0;
    await client.query(
      `UPDATE jobs SET finished_at = NULL,
         state = CASE WHEN plan IS NULL THEN 'PLANNED' ELSE 'QUEUED' END::job_state,
         result = CASE WHEN state = 'SUCCEEDED' THEN result END
       WHERE id = $1 AND (state = 'FAILED' OR state = 'SUCCEEDED' AND $2)`,
      [id, count > 0],
    );
    return count;
  });
}

/** What the job built is built on. Throws CONFLICT when another job builds it since, or it was given up. */
async function takeGenerationBack(client: Queryable, id: JobId): Promise<void> {
  const { rows } = await client.query<{ isOurs: boolean }>(
    `SELECT g.job_id = j.id AND g.discarded_at IS NULL AS "isOurs"
     FROM jobs j JOIN generations g ON g.id::text = j.plan->>'generationId' WHERE j.id = $1`,
    [id],
  );
  if (rows[0]?.isOurs === false) {
    const message =
      'Its generation was discarded, or another job builds it: start another reindex.';
    throw new PlatformError('CONFLICT', message);
  }
  await client.query(
    `UPDATE generations SET state = 'BUILDING' WHERE job_id = $1 AND state = 'FAILED' AND discarded_at IS NULL
       AND EXISTS (SELECT FROM job_items WHERE job_id = $1 AND (state = 'FAILED' OR reason_code = $2))`,
    [id, JOB_FAILED],
  );
}

const OPEN: readonly JobState[] = ['PLANNED', 'QUEUED', 'RUNNING', 'PAUSED'];

interface End {
  readonly to: JobState;
  readonly reasonCode: string;
  readonly result: object | null;
  readonly now: Date;
}

async function end(pool: Pool, id: JobId, { to, reasonCode, result, now }: End): Promise<void> {
  await inTransaction(pool, async (client) => {
    await requireState(client, id, OPEN);
    await client.query(
      "UPDATE generations SET state = 'FAILED' WHERE job_id = $1 AND state = 'BUILDING'",
      [id],
    );
    await client.query(
      `UPDATE job_items SET state = 'SKIPPED', reason_code = $2, finished_at = $3,
         lease_token = NULL, lease_until = NULL
       WHERE id IN (
         SELECT id FROM job_items WHERE job_id = $1 AND state IN ('PENDING', 'RUNNING') ORDER BY id FOR UPDATE)`,
      [id, reasonCode, now],
    );
    await client.query('UPDATE jobs SET state = $2, result = $3, finished_at = $4 WHERE id = $1', [
      ...[id, to, result, now],
    ]);
  });
}

/** Locks the job's row, so that the state holds until the transaction ends. */
async function requireState(
  client: Queryable,
  id: JobId,
  states: readonly JobState[],
): Promise<void> {
  const { rows } = await client.query<{ state: JobState }>(
    'SELECT state FROM jobs WHERE id = $1 FOR NO KEY UPDATE',
    [id],
  );
  const state = rows[0]?.state;
  if (state === undefined) throw new PlatformError('NOT_FOUND', `There is no job ${id}.`);
  if (!states.includes(state)) throw wrongState(state, states);
}

interface Move {
  readonly from: readonly JobState[];
  readonly to: JobState;
  /** More to set, from parameter 4 on. */
  readonly and?: string;
  readonly values?: readonly unknown[];
}

async function move(db: Queryable, id: JobId, { from, to, and, values = [] }: Move): Promise<void> {
  const { rowCount } = await db.query(
    `UPDATE jobs SET state = $2${and === undefined ? '' : `, ${and}`}
     WHERE id = $1 AND state = ANY($3::job_state[])`,
    [id, to, from, ...values],
  );
  if (rowCount === 1) return;
  const { rows } = await db.query<{ state: JobState }>('SELECT state FROM jobs WHERE id = $1', [
    id,
  ]);
  if (rows[0] === undefined) throw new PlatformError('NOT_FOUND', `There is no job ${id}.`);
  throw wrongState(rows[0].state, from);
}

function wrongState(state: JobState, wanted: readonly JobState[]): PlatformError {
  return new PlatformError(
    'CONFLICT',
    `The job is ${state}; it would have to be ${wanted.join(' or ')}.`,
  );
}
