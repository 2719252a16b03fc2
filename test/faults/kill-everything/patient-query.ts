import { setTimeout as pause } from 'node:timers/promises';
import type { Pool, QueryResultRow } from 'pg';

const PATIENCE_MS = 90_000;
const RETRY_MS = 200;

/** Does something with the database again and again until it is there. */
export async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await pause(RETRY_MS);
    }
  }
}

export function patientRows<Row extends QueryResultRow>(
  pool: Pool,
  sql: string,
  values: readonly unknown[] = [],
): Promise<readonly Row[]> {
  return patiently(async () => (await pool.query<Row>(sql, [...values])).rows);
}
