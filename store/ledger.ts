import type { CollectionId, JobId } from './ids.ts';
import type { JobItemState } from './generated/prisma/client.ts';
import { addToPlanned } from './job-items.ts';
import { storableJson } from './storable-json.ts';
import type { Queryable } from './transaction.ts';

/** The ledger as a record of what became of each item; as a queue it is in job-items.ts. */

export interface FinishedItem {
  readonly key: string;
  readonly payload: unknown;
  readonly state: 'SKIPPED' | 'FAILED';
  readonly reasonCode: string;
  readonly message: string | null;
}

/** Adds items whose outcome is known without work, as `addItems` adds others. Adding one again changes nothing. */
export async function addFinishedItems(
  db: Queryable,
  jobId: JobId,
  items: readonly FinishedItem[],
  now: Date,
): Promise<void> {
  if (items.length === 0) return;
  const insert = `
    INSERT INTO job_items (job_id, key, payload, state, reason_code, message, finished_at)
    SELECT job.id, key, payload, state, "reasonCode", message, $3
    FROM job, jsonb_to_recordset($2::jsonb) AS new(
      key text, payload jsonb, state job_item_state, "reasonCode" text, message text)
    ON CONFLICT (job_id, key) DO NOTHING`;
  await addToPlanned(db, jobId, { insert, values: [storableJson(items), now] });
}

/** Adds SKIPPED items without payload: many files that are as they were. Twice as fast as `addFinishedItems`. */
export async function addSkippedItems(
  db: Queryable,
  jobId: JobId,
  { keys, reasonCode, now }: { keys: readonly string[]; reasonCode: string; now: Date },
): Promise<void> {
  if (keys.length === 0) return;
  const insert = `
    INSERT INTO job_items (job_id, key, state, reason_code, finished_at)
    SELECT job.id, key, 'SKIPPED', $3, $4 FROM job, unnest($2::text[]) AS key
    ON CONFLICT (job_id, key) DO NOTHING`;
  await addToPlanned(db, jobId, { insert, values: [keys, reasonCode, now] });
}

export interface EarlierOutcome {
  readonly key: string;
  readonly state: JobItemState;
  readonly reasonCode: string | null;
  readonly message: string | null;
  readonly payload: unknown;
}

/** Jobs that are looked back on: an ingest names every file, so the last one says it; others may be of one source only. */
const JOBS_LOOKED_BACK = 10;

/** The newest outcome of each key in the collection's last ingests before this job; keys without one are left out. */
export async function findEarlierOutcomes(
  db: Queryable,
  { collectionId, jobId }: { collectionId: CollectionId; jobId: JobId },
  keys: readonly string[],
): Promise<ReadonlyMap<string, EarlierOutcome>> {
  const { rows } = await db.query<EarlierOutcome>(
    `SELECT DISTINCT ON (i.key) i.key, i.state, i.reason_code AS "reasonCode", i.message, i.payload
     FROM job_items i JOIN (
       SELECT id, created_at FROM jobs WHERE collection_id = $1 AND kind = 'INGEST' AND id <> $2
       ORDER BY created_at DESC LIMIT $4) AS j ON i.job_id = j.id
     WHERE i.key = ANY($3::text[]) AND i.state IN ('DONE', 'FAILED', 'SKIPPED')
     ORDER BY i.key, i.id DESC`,
    [collectionId, jobId, keys, JOBS_LOOKED_BACK],
  );
  return new Map(rows.map((row) => [row.key, row]));
}

/** Whether a job has items without an outcome; `exceptTask`: others than those whose payload names this task. */
export async function hasOpenItems(
  db: Queryable,
  jobId: JobId,
  exceptTask: string | null = null,
): Promise<boolean> {
  const { rows } = await db.query<{ found: boolean }>(
    `SELECT EXISTS (SELECT FROM job_items WHERE job_id = $1 AND state IN ('PENDING', 'RUNNING')
       AND ($2::text IS NULL OR payload->>'task' IS DISTINCT FROM $2)) AS found`,
    [jobId, exceptTask],
  );
  return rows[0]?.found ?? false;
}

/** Whether an item of the job came to this end. */
export async function hasOutcome(
  db: Queryable,
  jobId: JobId,
  reasonCode: string,
): Promise<boolean> {
  const { rows } = await db.query<{ found: boolean }>(
    'SELECT EXISTS (SELECT FROM job_items WHERE job_id = $1 AND reason_code = $2) AS found',
    [jobId, reasonCode],
  );
  return rows[0]?.found ?? false;
}

export interface OutcomeCount {
  readonly state: JobItemState;
  readonly reasonCode: string | null;
  readonly count: number;
}

/** How many items came to which end. */
export async function countOutcomes(db: Queryable, jobId: JobId): Promise<readonly OutcomeCount[]> {
  const { rows } = await db.query<Omit<OutcomeCount, 'count'> & { count: string }>(
    `SELECT state, reason_code AS "reasonCode", count(*) AS count FROM job_items
     WHERE job_id = $1 GROUP BY 1, 2 ORDER BY 1, 2`,
    [jobId],
  );
  return rows.map((row) => ({ ...row, count: Number(row.count) }));
}
