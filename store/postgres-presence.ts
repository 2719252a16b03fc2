import { Client, DatabaseError } from 'pg';
import { messageOf, systemErrorCode } from '../platform/errors.ts';
import { readPostmaster, SUPERUSER, type Cluster } from './postgres-cluster.ts';

/** Held in shared mode by every process that uses the server, alone by the one that stops it. */
const PRESENCE_LOCK = 7_476_525;

/** A connection that shows our presence; null when the server isn't there, is about to go, or isn't ours. */
export async function connectPresence(cluster: Cluster): Promise<Client | null> {
  const server = await readPostmaster(cluster);
  if (server === null) return null;
  const client = new Client({
    ...{ host: '127.0.0.1', port: server.port, database: 'postgres', ssl: false },
    ...{ user: SUPERUSER, password: cluster.password, application_name: 'sharelock presence' },
    keepAlive: true,
  });
  client.on('error', () => undefined); // the server stopped; whoever queries next is told
  try {
    await client.connect();
    const { rows } = await client.query<{ joined: boolean }>(
      `SELECT current_setting('data_directory') = $2 AND pg_try_advisory_lock_shared($1) AS joined`,
      [PRESENCE_LOCK, cluster.folder],
    );
    if (rows[0]?.joined === true) return client;
  } catch (error) {
    if (!isGone(error) && !isRefused(error)) throw error;
  }
  await client.end().catch(() => undefined);
  return null;
}

/** Gives the lock up; whether nobody else has it, and from now on nobody can have it. */
export async function becomeLast(presence: Client): Promise<boolean> {
  await presence.query('SELECT pg_advisory_unlock_shared($1)', [PRESENCE_LOCK]);
  const { rows } = await presence.query<{ last: boolean }>(
    'SELECT pg_try_advisory_lock($1) AS last',
    [PRESENCE_LOCK],
  );
  return rows[0]?.last === true;
}

/** Class 57P: the server starts, stops or was stopped. */
const GONE = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', '57P01', '57P02', '57P03']);

/** Whether it failed because the server isn't there. */
export function isGone(error: unknown): boolean {
  if (error instanceof DatabaseError) return GONE.has(error.code ?? '');
  return (
    GONE.has(systemErrorCode(error) ?? '') ||
    /terminated|not queryable|Connection ended|closed/i.test(messageOf(error))
  );
}

/** Class 28 and an unknown database: somebody else's server listens where ours did once. */
function isRefused(error: unknown): boolean {
  return error instanceof DatabaseError && /^28|^3D000/.test(error.code ?? '');
}
