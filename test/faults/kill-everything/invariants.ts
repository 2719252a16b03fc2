import type { Pool } from 'pg';
import { checkRows } from '../../../indexer/verify/check-rows.ts';
import { COMPLETE } from '../../../store/generation-switch.ts';
import type { GenerationState } from '../../../store/generations.ts';
import { asVisionSpaceId, type CollectionId } from '../../../store/ids.ts';
import { inTransaction, type Queryable } from '../../../store/transaction.ts';
import { patiently } from './patient-query.ts';
import type { Visitors } from './visitors.ts';

/** What must be true at every moment, whatever is under way. One line a fault. */
export function findFaults(
  pool: Pool,
  collectionId: CollectionId,
  visitors: Visitors,
): Promise<readonly string[]> {
  return patiently(() =>
    inTransaction(pool, async (client) => {
      await client.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ'); // one moment for all checks
      const acknowledged = visitors.acknowledged();
      return [
        ...(await checkGenerations(client, collectionId)),
        ...(await checkJobs(client, acknowledged.jobs)),
        ...(await checkDeleted(client, acknowledged.deletedImages)),
      ];
    }),
  );
}

async function checkGenerations(client: Queryable, collectionId: CollectionId): Promise<string[]> {
  const { rows } = await client.query<{ space: string; number: number; state: GenerationState }>(
    `SELECT vision_space_id AS space, number, state FROM generations
     WHERE collection_id = $1 AND discarded_at IS NULL`,
    [collectionId],
  );
  const live = rows.filter(({ state }) => state === 'LIVE').length;
  const faults = live === 1 ? [] : [`${live} generations are live`];
  for (const { space, number, state } of rows) {
    const key = { collectionId, visionSpaceId: asVisionSpaceId(space) };
    for (const check of await checkRows(client, key, { isComplete: COMPLETE.has(state) })) {
      faults.push(...check.violations.map((line) => `generation ${number}, ${state}: ${line}`));
    }
  }
  return faults;
}

async function checkJobs(client: Queryable, acknowledged: readonly string[]): Promise<string[]> {
  const { rows: lost } = await client.query<{ id: string }>(
    `SELECT id FROM unnest($1::uuid[]) AS id WHERE NOT EXISTS (SELECT FROM jobs WHERE jobs.id = id)`,
    [acknowledged],
  );
  const { rows: failed } = await client.query<{ line: string }>(
    `SELECT j.kind || ' ' || i.key || ': ' || coalesce(i.reason_code, '') || ' ' || coalesce(i.message, '') AS line
     FROM job_items i JOIN jobs j ON j.id = i.job_id WHERE i.state = 'FAILED'
     UNION ALL SELECT 'job ' || kind || ' failed: ' || coalesce(result::text, '') FROM jobs WHERE state = 'FAILED'`,
  );
  return [
    ...lost.map(({ id }) => `the job ${id} was acknowledged and is gone`),
    ...failed.map(({ line }) => `failed: ${line}`),
  ];
}

async function checkDeleted(client: Queryable, ids: readonly string[]): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>(
    'SELECT id FROM images WHERE id = ANY($1::bigint[])',
    [ids],
  );
  return rows.map(({ id }) => `the image ${id} was deleted and is there`);
}

export interface Expected {
  /** Files of the source. */
  readonly photos: number;
  readonly visitors: Visitors;
}

/** What must be true besides when all work is done. */
export async function findFinalFaults(
  pool: Pool,
  collectionId: CollectionId,
  { photos, visitors }: Expected,
): Promise<readonly string[]> {
  const faults: string[] = [];
  const { rows: open } = await pool.query<{ kind: string; state: string }>(
    "SELECT kind, state FROM jobs WHERE state NOT IN ('SUCCEEDED', 'CANCELLED')",
  );
  faults.push(...open.map(({ kind, state }) => `a job ${kind} is ${state} at the end`));
  const { rows } = await pool.query<{ photos: number; uploads: string[] }>(
    `SELECT count(*) FILTER (WHERE source_id IS NOT NULL)::int AS photos,
       coalesce(array_agg(encode(sha256, 'hex')) FILTER (WHERE source_id IS NULL), '{}') AS uploads
     FROM images WHERE collection_id = $1`,
    [collectionId],
  );
  const [found] = rows;
  if (found?.photos !== photos) faults.push(`${found?.photos} images of ${photos} files`);
  const there = new Set(found?.uploads);
  const wanted = visitors.acknowledged().kept;
  const missing = wanted.filter((hash) => !there.has(hash));
  if (missing.length > 0) faults.push(`${missing.length} acknowledged uploads are missing`);
  if (there.size !== wanted.length) faults.push(`${there.size} uploads of ${wanted.length}`);
  return faults;
}
