import { expect, test } from '@jest/globals';
import { createLogger } from '../../platform/logger.ts';
import { SchedulerLock } from '../../store/scheduler-lock.ts';
import { closeBeforeDatabase, useDatabase } from '../support/database.ts';
import { until } from '../support/until.ts';

const database = await useDatabase();
const logger = createLogger({ level: 'silent' });

function newLock(): SchedulerLock {
  const lock = new SchedulerLock({ createClient: () => database.createClient(), logger });
  closeBeforeDatabase(() => lock.close());
  return lock;
}

test('of two one holds the lock, and the other when the first leaves', async () => {
  const [first, second] = [newLock(), newLock()];

  const before = [await first.hold(), await second.hold(), await first.hold()];
  await first.close();
  await until('the lock is free', () => second.hold());
  const after = [await first.hold(), await second.hold()];
  await second.close();

  expect(before).toEqual([true, false, true]);
  expect(after).toEqual([false, true]);
});

test('a holder whose connection breaks holds nothing, and may hold it again', async () => {
  const lock = newLock();
  await until('the lock is free', () => lock.hold());

  await database.pool.query(
    `SELECT pg_terminate_backend(pid) FROM pg_locks
     WHERE locktype = 'advisory' AND granted AND pid <> pg_backend_pid()
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
  );
  const other = newLock();
  await until('another gets the lock', () => other.hold());
  await until('the first knows', async () => !(await lock.hold().catch(() => false)));
  await other.close();

  await until('it has the lock again', () => lock.hold());
});
