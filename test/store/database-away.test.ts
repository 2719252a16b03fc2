import { expect, test } from '@jest/globals';
import { PrismaPg } from '@prisma/adapter-pg';
import { Pool } from 'pg';
import { isDatabaseAway } from '../../store/database-away.ts';
import { PrismaClient } from '../../store/generated/prisma/client.ts';
import { closeBeforeDatabase, useDatabase } from '../support/database.ts';

const { pool, prisma } = await useDatabase();

const TERMINATE = 'SELECT pg_terminate_backend(pg_backend_pid())';

async function errorOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => null,
    (error: unknown) => error,
  );
}

test('a connection that the server ends is the database being away', async () => {
  expect(isDatabaseAway(await errorOf(pool.query(TERMINATE)))).toBe(true);
  expect(isDatabaseAway(await errorOf(prisma.$queryRawUnsafe(TERMINATE)))).toBe(true);
});

test('a connection that breaks without a word is, too', async () => {
  const client = await pool.connect();
  client.on('error', () => undefined);
  const [{ pid } = { pid: 0 }] = (
    await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
  ).rows;
  const hasEnded = new Promise((resolve) => client.once('end', resolve));
  await pool.query('SELECT pg_terminate_backend($1)', [pid]);
  await hasEnded;

  const error = await errorOf(client.query('SELECT 1'));
  client.release(true);

  expect(isDatabaseAway(error)).toBe(true);
});

test('a server that nobody reaches is, too', async () => {
  const nowhere = new Pool({ connectionString: 'postgresql://nobody@127.0.0.1:1/nothing' });
  const client = new PrismaClient({ adapter: new PrismaPg(nowhere) });
  closeBeforeDatabase(() => nowhere.end());

  expect(isDatabaseAway(await errorOf(nowhere.query('SELECT 1')))).toBe(true);
  expect(isDatabaseAway(await errorOf(client.collection.findMany()))).toBe(true);
});

test('a statement that is wrong is none of that', async () => {
  expect(isDatabaseAway(await errorOf(pool.query('SELECT * FROM nothing')))).toBe(false);
  expect(isDatabaseAway(await errorOf(prisma.$queryRawUnsafe('SELECT 1/0')))).toBe(false);
  expect(isDatabaseAway(new Error('The picture is broken.'))).toBe(false);
});
