import { z } from 'zod';
import {
  ITEM_COLUMNS,
  toItemRecord,
  type ItemRecord,
  type JobItemState,
  type RawItem,
} from './job-items.ts';
import { type ItemCounts } from './job-progress.ts';
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

export interface FoundItem extends ItemRecord {
  readonly jobId: JobId;
}

/** The item of this id and the job it belongs to; null when there is none. */
export async function findItem(db: Queryable, id: bigint): Promise<FoundItem | null> {
  const { rows } = await db.query<RawItem & { readonly jobId: JobId }>(
    `SELECT ${ITEM_COLUMNS}, job_id AS "jobId" FROM job_items WHERE id = $1`,
    [id],
  );
  const [row] = rows;
  return row === undefined ? null : { ...toItemRecord(row), jobId: row.jobId };
}
