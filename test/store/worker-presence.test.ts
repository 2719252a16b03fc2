import { expect, test } from '@jest/globals';
import { pino } from 'pino';
import type { Client } from 'pg';
import { WorkerPresence } from '../../store/worker-presence.ts';
import { returnItemsOfDeadWorkers, addItems, claimItems } from '../../store/job-items.ts';
import { queueJob } from '../../store/job-control.ts';
import { createJob } from '../../store/jobs.ts';
import { useDatabase } from '../support/database.ts';
import { until } from '../support/until.ts';

const database = await useDatabase();

function newPresence(): { presence: WorkerPresence; made: Client[] } {
  const made: Client[] = [];
  const createClient = (): Client => {
    const client = database.createClient();
    made.push(client);
    return client;
  };
  const logger = pino({ level: 'silent' });
  return { presence: new WorkerPresence({ createClient, onJob: () => undefined, logger }), made };
}

test('lanes that find the connection lost open one new connection, with the same lock', async () => {
  const { presence, made } = newPresence();
  await presence.connect();
  const before = presence.newLeaseToken().slice(0, 18);
  await database.pool.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE 'LISTEN%'`,
  );
  await until('the loss is noticed', async () => {
    await presence.connect();
    return made.length > 1;
  });

  await Promise.all([1, 2, 3, 4].map(() => presence.connect()));
  expect(presence.isJustBack).toBe(true);
  const after = presence.newLeaseToken().slice(0, 18);
  await presence.close();

  expect(made).toHaveLength(2);
  expect(after).toBe(before);
});

test('many who ask before there is a connection share the first', async () => {
  const { presence, made } = newPresence();

  await Promise.all([1, 2, 3, 4].map(() => presence.connect()));
  await presence.close();

  expect(made).toHaveLength(1);
});

test('a worker whose connection is broken does not take its own items for those of the dead', async () => {
  const { prisma, pool } = database;
  const { presence } = newPresence();
  await presence.connect();
  const now = new Date();
  const request = { kind: 'VERIFY', collectionId: null, input: {}, createdBy: 'test' } as const;
  const { id: jobId } = await createJob(prisma, { ...request, now });
  await addItems(pool, jobId, [{ key: 'a', payload: {} }]);
  await queueJob(pool, jobId, {});
  const leaseToken = presence.newLeaseToken();
  await claimItems(pool, { jobId, limit: 1, leaseMs: 60_000, leaseToken, now });
  const others = { now, living: [] };

  expect(await returnItemsOfDeadWorkers(pool, jobId, others)).toBe(0); // its lock says that it lives
  await presence.close();
  expect(await returnItemsOfDeadWorkers(pool, jobId, { now, living: presence.locks })).toBe(0);
  await until(
    'the server has noticed',
    async () => (await returnItemsOfDeadWorkers(pool, jobId, others)) === 1,
  );
});
