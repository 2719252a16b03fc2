import { z } from 'zod';
import type { ItemCounts, JobItemState } from './job-items.ts';
import type { JobId } from './ids.ts';
import type { Queryable } from './transaction.ts';

const COUNTS = z.array(
  z.object({ job_id: z.string(), state: z.string(), count: z.coerce.number() }),
);

/** Items by state, of several jobs at once; jobs without items have zeros. */
export async function countItemsOf(
  db: Queryable,
  jobIds: readonly JobId[],
): Promise<ReadonlyMap<string, ItemCounts>> {
  const { rows } = await db.query(
    `SELECT job_id, state, count(*) FROM job_items WHERE job_id = ANY($1::uuid[])
     GROUP BY job_id, state`,
    [jobIds],
  );
  const counted = COUNTS.parse(rows);
  return new Map(
    jobIds.map((jobId) => {
      const of = (state: JobItemState): number =>
        counted.find((row) => row.job_id === jobId && row.state === state)?.count ?? 0;
      const [open, done, failed] = [of('PENDING') + of('RUNNING'), of('DONE'), of('FAILED')];
      const skipped = of('SKIPPED');
      return [jobId, { total: open + done + failed + skipped, open, done, failed, skipped }];
    }),
  );
}

/** The item of this id and the job it belongs to; null when there is none. */
export async function findItem(db: Queryable, id: bigint): Promise<FoundItem | null> {
  const { rows } = await db.query<FoundItemRow>(
    `SELECT id, job_id, key, state, attempts, reason_code, message FROM job_items WHERE id = $1`,
    [id],
  );
  const row = rows[0];
  if (row === undefined) return null;
  const { job_id: jobId, key, state, attempts, reason_code: reasonCode, message } = row;
  return { id: BigInt(row.id), jobId: jobId as JobId, key, state, attempts, reasonCode, message };
}

export interface FoundItem {
  readonly id: bigint;
  readonly jobId: JobId;
  readonly key: string;
  readonly state: JobItemState;
  readonly attempts: number;
  readonly reasonCode: string | null;
  readonly message: string | null;
}

interface FoundItemRow {
  readonly id: string;
  readonly job_id: string;
  readonly key: string;
  readonly state: JobItemState;
  readonly attempts: number;
  readonly reason_code: string | null;
  readonly message: string | null;
}
