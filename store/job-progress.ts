import { z } from 'zod';
import type { JobItemState } from './generated/prisma/client.ts';
import type { JobId } from './ids.ts';
import type { Queryable } from './transaction.ts';

// How far a job is, counted from its items.

export interface ItemCounts {
  readonly total: number;
  /** Pending or running. */
  readonly open: number;
  readonly done: number;
  readonly failed: number;
  readonly skipped: number;
}

const COUNTS = z.array(z.object({ state: z.string(), count: z.coerce.number() }));

/** Counted, not kept: always right, at the price of an index scan (0.1 s a million items). */
export async function countItems(db: Queryable, jobId: JobId): Promise<ItemCounts> {
  const { rows } = await db.query(
    'SELECT state, count(*) FROM job_items WHERE job_id = $1 GROUP BY state',
    [jobId],
  );
  const counts = new Map(COUNTS.parse(rows).map(({ state, count }) => [state, count]));
  const of = (state: JobItemState): number => counts.get(state) ?? 0;
  const [open, done, failed] = [of('PENDING') + of('RUNNING'), of('DONE'), of('FAILED')];
  const skipped = of('SKIPPED');
  return { total: open + done + failed + skipped, open, done, failed, skipped };
}

const RATE_WINDOW_MS = 60_000;

/** Items a second over the last minute, or since the job began; null before there is anything to measure. */
export async function measureRate(db: Queryable, jobId: JobId, now: Date): Promise<number | null> {
  return (await measureRates(db, [jobId], now)).get(jobId) ?? null;
}

/** The same of several jobs in one statement; a job without a rate is left out. */
export async function measureRates(
  db: Queryable,
  jobIds: readonly JobId[],
  now: Date,
): Promise<ReadonlyMap<JobId, number>> {
  const { rows } = await db.query<{ id: JobId; count: string; started_at: Date }>(
    `SELECT id, started_at, (SELECT count(*) FROM job_items i WHERE i.job_id = j.id AND i.finished_at > $2)
     FROM jobs j WHERE id = ANY($1::uuid[]) AND started_at IS NOT NULL`,
    [jobIds, new Date(now.getTime() - RATE_WINDOW_MS)],
  );
  const rates = new Map<JobId, number>();
  for (const { id, count, started_at: startedAt } of rows) {
    const elapsedMs = Math.min(RATE_WINDOW_MS, now.getTime() - startedAt.getTime());
    if (elapsedMs > 0 && count !== '0') rates.set(id, (Number(count) * 1000) / elapsedMs);
  }
  return rates;
}
