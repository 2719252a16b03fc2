import type { Pool, PoolClient } from 'pg';

/** Runs SQL: the pool, each statement on its own, or a client inside a transaction. */
export type Queryable = Pick<PoolClient, 'query'>;

/**
 * Runs `body` in one transaction on one connection. Everything it did with its client becomes visible at once when it
 * resolves, and nothing when it rejects. `settings` hold within it ("enable_sort = off"), and cost no statement of their own.
 */
export async function inTransaction<T>(
  pool: Pool,
  body: (client: PoolClient) => Promise<T>,
  settings: readonly string[] = [],
): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  const lose = (error: Error): void => {
    broken = error; // the query says it; without a listener the process would end
  };
  client.on('error', lose);
  try {
    await client.query(['BEGIN', ...settings.map((setting) => `SET LOCAL ${setting}`)].join('; '));
    const result = await body(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch((reason: unknown) => {
      broken = reason instanceof Error ? reason : new Error(String(reason)); // not to be used again
    });
    throw error;
  } finally {
    client.off('error', lose);
    client.release(broken);
  }
}
