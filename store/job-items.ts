import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { PlatformError } from '../platform/errors.ts';
import type { JobItemState, JobState } from './generated/prisma/client.ts';
import { asImageId, type ImageId, type JobId } from './ids.ts';
import { storableJson } from './storable-json.ts';
import { inTransaction, type Queryable } from './transaction.ts';

export type { JobItemState };

export interface NewItem {
  /** Names the item within its job: a path, an image id. Adding it again changes nothing. */
  readonly key: string;
  readonly payload: unknown;
}

/** Throws CONFLICT when the job isn't PLANNED any more, and NOT_FOUND when it was deleted. */
export async function addItems(
  db: Queryable,
  jobId: JobId,
  items: readonly NewItem[],
): Promise<void> {
  const insert = `INSERT INTO job_items (job_id, key, payload)
    SELECT job.id, key, payload FROM job, jsonb_to_recordset($2::jsonb) AS new(key text, payload jsonb)
    ON CONFLICT (job_id, key) DO NOTHING`;
  await addToPlanned(db, jobId, { insert, values: [storableJson(items)] });
}

interface Insert {
  /** Of rows for `job`; parameters from 2 on. */
  readonly insert: string;
  readonly values: readonly unknown[];
}

/**
 * Adds items only while the job is PLANNED. Its row comes before its items, as it does for those who end it: whoever
 * cancels waits for the statement and finds its items, or was first, and nothing is added.
 */
export async function addToPlanned(
  db: Queryable,
  jobId: JobId,
  { insert, values }: Insert,
): Promise<void> {
  const { rowCount } = await db.query(
    `WITH job AS (SELECT id FROM jobs WHERE id = $1 AND state = 'PLANNED' FOR SHARE), added AS (${insert})
     SELECT FROM job`,
    [jobId, ...values],
  );
  if (rowCount !== 1) await requirePlanned(db, jobId);
}

/** Throws CONFLICT when the job isn't PLANNED any more, and NOT_FOUND when it was deleted. */
export async function requirePlanned(db: Queryable, jobId: JobId): Promise<void> {
  const { rows } = await db.query<{ state: JobState }>('SELECT state FROM jobs WHERE id = $1', [
    jobId,
  ]);
  const state = rows[0]?.state;
  if (state === undefined) throw new PlatformError('NOT_FOUND', `There is no job ${jobId}.`);
  if (state !== 'PLANNED') {
    throw new PlatformError('CONFLICT', `The job is ${state}: nothing is planned for it any more.`);
  }
}

export interface ClaimedItem {
  readonly id: bigint;
  readonly key: string;
  readonly payload: unknown;
  /** This try's number, from 1. */
  readonly attempt: number;
}

/** Items that are the holder's alone until the lease ends. */
export interface Claim {
  readonly jobId: JobId;
  readonly leaseToken: string;
  readonly items: readonly ClaimedItem[];
}

export interface ClaimOptions {
  readonly jobId: JobId;
  readonly limit: number;
  /** After this the items are given to others. Long against a batch: a lease that ends too early costs its work. */
  readonly leaseMs: number;
  /** Default: a random one. A `WorkerPresence` makes ones that tell whether their holder lives. */
  readonly leaseToken?: string;
  readonly now: Date;
}

/** From the second worker that vanished with an item on, the item is given out alone, to spare its neighbours. */
const SUSPECT_AFTER = 2;
/** As many workers vanished with this item, the last of them with it alone: it kills them. */
const POISON_AFTER = 5;

/**
 * A queue is read in the order of its index. And nobody waits for a claim to reach the disk: a server that dies forgets it,
 * the items are pending again, and whoever had them gets CONFLICT when it completes them.
 */
const QUEUE_SETTINGS = ['enable_sort = off', 'synchronous_commit = off'];

/**
 * Takes items to work on: pending ones, then those of workers whose lease ended. Two workers never get the same item.
 * Null: nothing to do now. The job becomes RUNNING. While there are pending items it costs one statement.
 */
export async function claimItems(pool: Pool, options: ClaimOptions): Promise<Claim | null> {
  const { jobId, limit, now } = options;
  const leaseToken = options.leaseToken ?? randomUUID();
  const claim = async (client: Queryable): Promise<readonly ClaimedItem[]> => {
    const healthy: Take = { leaseToken, limit, areSuspects: false };
    const pending = await take(client, options, healthy);
    if (pending.length > 0) return pending;
    if (!(await startJob(client, jobId, now))) return [];
    await client.query(returnLost('lease_until <= $2'), [jobId, now, POISON_AFTER]);
    const found = await take(client, options, healthy);
    if (found.length > 0) return found;
    return take(client, options, { leaseToken, limit: 1, areSuspects: true });
  };
  const items = await inTransaction(pool, claim, QUEUE_SETTINGS);
  return items.length === 0 ? null : { jobId, leaseToken, items };
}

/** Those of the jobs that `claimItems` would find something in: a look, without locks, for whoever has many jobs to try. */
export async function listClaimable(
  db: Queryable,
  jobIds: readonly JobId[],
  now: Date,
): Promise<ReadonlySet<JobId>> {
  if (jobIds.length === 0) return new Set();
  const { rows } = await db.query<{ id: JobId }>(
    `SELECT id FROM jobs WHERE id = ANY($1::uuid[]) AND (
       EXISTS (SELECT FROM job_items i WHERE i.job_id = jobs.id AND i.state = 'PENDING'
         AND (i.not_before IS NULL OR i.not_before <= $2))
       OR EXISTS (SELECT FROM job_items i WHERE i.job_id = jobs.id AND i.state = 'RUNNING' AND i.lease_until <= $2))`,
    [jobIds, now],
  );
  return new Set(rows.map(({ id }) => id));
}

/** The job's row comes before its items, as it does for those who end it. */
async function startJob(client: Queryable, jobId: JobId, now: Date): Promise<boolean> {
  await client.query(
    `UPDATE jobs SET state = 'RUNNING', started_at = coalesce(started_at, $2) WHERE id = $1 AND state = 'QUEUED'`,
    [jobId, now],
  );
  const { rowCount } = await client.query(`SELECT FROM jobs WHERE id = $1 AND state = 'RUNNING'`, [
    jobId,
  ]);
  return rowCount === 1;
}

/** Items whose worker is lost are pending again; a try without an outcome isn't counted. */
const returnLost = (isLost: string): string => `
  UPDATE job_items SET lost_leases = lost_leases + 1, lease_token = NULL, lease_until = NULL,
    state = CASE WHEN lost_leases + 1 < $3 THEN 'PENDING' ELSE 'FAILED' END::job_item_state,
    attempts = CASE WHEN lost_leases + 1 < $3 THEN attempts - 1 ELSE attempts END,
    reason_code = CASE WHEN lost_leases + 1 < $3 THEN NULL ELSE 'WORKER_LOST' END,
    message = CASE WHEN lost_leases + 1 < $3 THEN NULL ELSE 'Every worker that had this item died.' END,
    finished_at = CASE WHEN lost_leases + 1 < $3 THEN NULL ELSE $2::timestamptz END
  WHERE id IN (
    SELECT id FROM job_items WHERE job_id = $1 AND state = 'RUNNING' AND ${isLost}
    ORDER BY id FOR UPDATE SKIP LOCKED)`;

/**
 * Gives back at once what dead workers had, where `WorkerPresence` made their tokens. Gives how many items. `living`: workers
 * known to live, whether they have their locks at the moment or not: whoever asks.
 */
export async function returnItemsOfDeadWorkers(
  pool: Pool,
  jobId: JobId,
  { now, living }: { now: Date; living: readonly bigint[] },
): Promise<number> {
  return inTransaction(pool, async (client) => {
    const { rows } = await client.query<{ token: string }>(
      `SELECT lease_token AS token FROM (
         SELECT DISTINCT lease_token FROM job_items WHERE job_id = $1 AND state = 'RUNNING') AS held
       WHERE ${WORKER_LOCK} <> ALL ($2::bigint[]) AND pg_try_advisory_xact_lock_shared(${WORKER_LOCK})`,
      [jobId, living],
    );
    if (rows.length === 0) return 0;
    const sql = returnLost('lease_token = ANY($4::uuid[])');
    const tokens = rows.map(({ token }) => token);
    return (await client.query(sql, [jobId, now, POISON_AFTER, tokens])).rowCount ?? 0;
  });
}

/** Gives back what its worker can't finish for the database's sake, as if the worker had died. */
export async function loseItems(
  pool: Pool,
  { jobId, leaseToken }: Claim,
  now: Date,
): Promise<void> {
  await pool.query(returnLost('lease_token = $4'), [jobId, now, POISON_AFTER, leaseToken]);
}

/** The lock that the holder of a lease token keeps as long as it lives: the token's first eight bytes. */
const WORKER_LOCK = `('x' || left(replace(lease_token::text, '-', ''), 16))::bit(64)::bigint`;

interface Take {
  readonly leaseToken: string;
  readonly limit: number;
  readonly areSuspects: boolean;
}

async function take(
  client: Queryable,
  { jobId, leaseMs, now }: ClaimOptions,
  { leaseToken, limit, areSuspects }: Take,
): Promise<readonly ClaimedItem[]> {
  const until = new Date(now.getTime() + leaseMs);
  const lost = areSuspects ? [SUSPECT_AFTER, POISON_AFTER] : [0, SUSPECT_AFTER - 1];
  const values = [jobId, now, limit, leaseToken, until, ...lost];
  const { rows } = await client.query<ItemRow>({ name: 'take items', text: TAKE, values });
  const items = rows.map((row) => ({ ...row, id: BigInt(row.id) }));
  return items.sort((a, b) => (a.id < b.id ? -1 : 1));
}

interface ItemRow {
  readonly id: string;
  readonly key: string;
  readonly payload: unknown;
  readonly attempt: number;
}

/** Prepared once a connection, as COMPLETE is: planning takes as long as running it. */
const TAKE = `
  WITH free AS (
    SELECT id FROM job_items
    WHERE job_id = (SELECT id FROM jobs WHERE id = $1 AND state = 'RUNNING') AND state = 'PENDING'
      AND (not_before IS NULL OR not_before <= $2) AND lost_leases BETWEEN $6 AND $7
    ORDER BY id LIMIT $3 FOR UPDATE SKIP LOCKED)
  UPDATE job_items i SET state = 'RUNNING', lease_token = $4, lease_until = $5, attempts = attempts + 1
  FROM free WHERE i.id = free.id
  RETURNING i.id, i.key, i.payload, i.attempts AS attempt`;

/** Keeps a claim for longer. CONFLICT when it is lost already. */
export async function extendLease(
  db: Queryable,
  { leaseToken, items }: Claim,
  until: Date,
): Promise<void> {
  const { rowCount } = await db.query(
    `UPDATE job_items SET lease_until = $2
     WHERE lease_token = $1 AND state = 'RUNNING' AND id = ANY($3::bigint[])`,
    [leaseToken, until, items.map(({ id }) => id)],
  );
  if (rowCount !== items.length) throw leaseLost();
}

/** Gives back what wasn't begun, as if it had never been claimed. */
export async function releaseItems(db: Queryable, { leaseToken, items }: Claim): Promise<void> {
  await db.query(
    `UPDATE job_items SET state = 'PENDING', attempts = attempts - 1, lease_token = NULL, lease_until = NULL
     WHERE lease_token = $1 AND state = 'RUNNING' AND id = ANY($2::bigint[])`,
    [leaseToken, items.map(({ id }) => id)],
  );
}

export type Outcome =
  /** The code says what was done to it. */
  | { readonly kind: 'done'; readonly reasonCode?: string; readonly message?: string }
  | { readonly kind: 'skipped'; readonly reasonCode: string; readonly message?: string }
  | { readonly kind: 'failed'; readonly reasonCode: string; readonly message: string }
  /** Try again, not before then; FAILED when it was the last attempt. */
  | {
      readonly kind: 'retry';
      readonly reasonCode: string;
      readonly message: string;
      readonly notBefore: Date;
    };

/**
 * Writes what became of claimed items, all or some of them. Call it inside the transaction that stores their results: it
 * throws CONFLICT when the claim was lost, and with it everything is undone. So each item takes effect once.
 */
export async function completeItems(
  client: Queryable,
  { leaseToken }: Claim,
  outcomes: ReadonlyMap<bigint, Outcome>,
  now: Date,
): Promise<void> {
  const rows = [...outcomes].map(([id, outcome]) => toJson(id, outcome));
  const values = [leaseToken, storableJson(rows), now, [...outcomes.keys()]];
  const { rowCount } = await client.query({ name: 'complete items', text: COMPLETE, values });
  if (rowCount !== outcomes.size) throw leaseLost();
}

/** Locks in the order of ids, as everybody does who changes several items. */
const COMPLETE = `
  WITH held AS (
    SELECT id FROM job_items
    WHERE id = ANY($4::bigint[]) AND lease_token = $1 AND state = 'RUNNING' ORDER BY id FOR UPDATE)
  UPDATE job_items i SET
    state = CASE WHEN o.kind <> 'retry' THEN upper(o.kind)::job_item_state
      WHEN i.attempts >= j.max_attempts THEN 'FAILED' ELSE 'PENDING' END,
    finished_at = CASE WHEN o.kind <> 'retry' OR i.attempts >= j.max_attempts THEN $3::timestamptz END,
    not_before = o.not_before, reason_code = o.reason_code, message = o.message,
    lease_token = NULL, lease_until = NULL
  FROM held, jobs j, jsonb_to_recordset($2::jsonb) AS o(
    id bigint, kind text, reason_code text, message text, not_before timestamptz)
  WHERE i.id = held.id AND i.id = o.id AND j.id = i.job_id`;

function toJson(id: bigint, outcome: Outcome): Record<string, unknown> {
  return {
    id: id.toString(),
    kind: outcome.kind,
    reason_code: outcome.reasonCode ?? null,
    message: 'message' in outcome ? outcome.message : null,
    not_before: outcome.kind === 'retry' ? outcome.notBefore : null,
  };
}

function leaseLost(): PlatformError {
  return new PlatformError('CONFLICT', 'The lease of these items ended; others have them now.');
}

export interface ItemRecord {
  readonly id: bigint;
  readonly key: string;
  /** What people know it by: the payload's `path`, or the key. */
  readonly path: string;
  /** The payload's; null: it names none. */
  readonly imageId: ImageId | null;
  readonly state: JobItemState;
  readonly attempts: number;
  readonly reasonCode: string | null;
  readonly message: string | null;
}

/** Items in one state, in the order they were added. */
export async function listItems(
  db: Queryable,
  { jobId, state, after, limit }: ItemPage,
): Promise<readonly ItemRecord[]> {
  const { rows } = await db.query<RawItem>(
    `SELECT ${ITEM_COLUMNS} FROM job_items
     WHERE job_id = $1 AND state = $2 AND id > $3 ORDER BY id LIMIT $4`,
    [jobId, state, after ?? 0n, limit],
  );
  return rows.map(toItemRecord);
}

export const ITEM_COLUMNS = `id, key, coalesce(payload->>'path', key) AS path, payload->>'imageId' AS "imageId",
  state, attempts, reason_code AS "reasonCode", message`;

/** As `ITEM_COLUMNS` gives it. */
export type RawItem = Omit<ItemRecord, 'id' | 'imageId'> & {
  readonly id: string;
  readonly imageId: string | null;
};

export function toItemRecord(row: RawItem): ItemRecord {
  const imageId = row.imageId === null ? null : asImageId(row.imageId);
  return { ...row, id: BigInt(row.id), imageId };
}

export interface ItemPage {
  readonly jobId: JobId;
  readonly state: JobItemState;
  readonly after: bigint | null;
  readonly limit: number;
}
