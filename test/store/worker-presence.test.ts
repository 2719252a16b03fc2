import { expect, test } from '@jest/globals';
import { pino } from 'pino';
import type { Client } from 'pg';
import { WorkerPresence } from '../../store/worker-presence.ts';
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
