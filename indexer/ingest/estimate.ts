import type { Database } from '../../store/database.ts';

/** From the last job that embedded something; null when there was none. */
export async function estimateSeconds(
  { pool }: Pick<Database, 'pool'>,
  toEmbed: number,
): Promise<number | null> {
  if (toEmbed === 0) return 0;
  const { rows } = await pool.query<{ rate: number | null }>(
    `SELECT (result->>'embedded')::float8 / greatest(1, extract(epoch FROM finished_at - started_at))::float8 AS rate
     FROM jobs WHERE kind IN ('INGEST', 'REINDEX') AND state = 'SUCCEEDED' AND (result->>'embedded')::float8 > 0
     ORDER BY finished_at DESC LIMIT 1`,
  );
  const rate = rows[0]?.rate ?? null;
  return rate === null ? null : Math.ceil(toEmbed / rate);
}
