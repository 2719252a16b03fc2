import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import type { Closers } from '../../../platform/closers.ts';

/** The URL of a new database on a server, dropped when the closers close. */
export async function createOwnDatabase(server: string, closers: Closers): Promise<string> {
  const name = `sharelock_own_${randomBytes(6).toString('hex')}`;
  const run = async (sql: string): Promise<void> => {
    const client = new Client({ connectionString: server });
    await client.connect();
    await client.query(sql).finally(() => client.end());
  };
  await run(`CREATE DATABASE ${name}`);
  closers.add(() => run(`DROP DATABASE ${name} WITH (FORCE)`));
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}
