import { expect, test } from '@jest/globals';
import { inTransaction } from '../../store/transaction.ts';
import { useDatabase } from '../support/database.ts';
import { until } from '../support/until.ts';

const { pool } = await useDatabase();

async function terminate(pid: number): Promise<void> {
  await pool.query('SELECT pg_terminate_backend($1)', [pid]);
  await until('the connection is gone', async () => {
    const { rowCount } = await pool.query('SELECT FROM pg_stat_activity WHERE pid = $1', [pid]);
    return rowCount === 0;
  });
}

test('a connection that breaks between two statements fails the transaction, not the process', async () => {
  const broken = inTransaction(pool, async (client) => {
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    await terminate(rows[0]?.pid ?? 0);
    await client.query('SELECT 1');
  });

  await expect(broken).rejects.toThrow();

  const next = await inTransaction(pool, (client) => client.query('SELECT 1 AS one'));
  expect(next.rows).toEqual([{ one: 1 }]);
});
