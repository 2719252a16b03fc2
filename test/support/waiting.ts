import { setTimeout as pause } from 'node:timers/promises';
import type { Queryable } from '../../store/transaction.ts';

/** Until somebody in this database waits for a lock. */
export async function untilSomebodyWaits(db: Queryable): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    const { rowCount } = await db.query(
      `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    if (rowCount !== 0) return;
    await pause(10);
  }
  throw new Error('Nobody waits for a lock.');
}
