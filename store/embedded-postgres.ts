import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Client, DatabaseError } from 'pg';
import { messageOf, PlatformError, systemErrorCode } from '../platform/errors.ts';
import {
  findCluster,
  lastLogLines,
  openCluster,
  readPostmaster,
  removeForeignPidFile,
  SUPERUSER,
  type Cluster,
} from './postgres-cluster.ts';
import { findPostgresPrograms, runProgram, type PostgresPrograms } from './postgres-programs.ts';

export interface EmbeddedPostgresOptions {
  /** The server's files lie in its folder `pg`. One server a data folder, shared by all its processes. */
  readonly dataFolder: string;
  /** How long to wait for a server that another process starts or stops, or to try again. Default 60 s. */
  readonly startTimeoutMs?: number;
}

/** Held in shared mode by every process that uses the server, alone by the one that stops it. */
const PRESENCE_LOCK = 7_476_525;
const RETRY_MS = 100;

/**
 * A real PostgreSQL server, shared by all processes of a data folder.
 *
 * The first to come starts it, detached, so that it survives its starter; others join. Each keeps one connection that
 * holds a shared advisory lock: the kernel ends it whatever way the process dies, so nobody is counted who is gone.
 * Whoever leaves tries the same lock alone. If it gets it nobody else is there, nobody can join while it holds it, and it
 * stops the server. There is no lock file: of two that start at once, PostgreSQL lets one win and the other joins.
 */
export class EmbeddedPostgres {
  readonly #cluster: Cluster;
  readonly #programs: PostgresPrograms;
  readonly #presence: Client;
  readonly port: number;
  #isClosed = false;

  private constructor(cluster: Cluster, programs: PostgresPrograms, presence: Client) {
    this.#cluster = cluster;
    this.#programs = programs;
    this.#presence = presence;
    this.port = presence.port;
  }

  /** Joins the data folder's server, which is started if it doesn't run. */
  static async open(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
    const { dataFolder, startTimeoutMs = 60_000 } = options;
    const programs = await findPostgresPrograms();
    const cluster = await openCluster(dataFolder, programs);
    const deadline = performance.now() + startTimeoutMs;
    for (;;) {
      const presence = await connectPresence(cluster);
      if (presence !== null) return new EmbeddedPostgres(cluster, programs, presence);
      const failure = await tryToStart(cluster, programs);
      if (performance.now() > deadline) throw await didNotStart(cluster, failure);
      if (failure !== null) await pause(RETRY_MS);
    }
  }

  /** Stops a data folder's server whoever uses it. False when none ran. */
  static async stop(dataFolder: string): Promise<boolean> {
    const cluster = await findCluster(dataFolder);
    if (cluster === null || (await readPostmaster(cluster)) === null) return false;
    await removeForeignPidFile(cluster);
    if ((await readPostmaster(cluster)) === null) return false;
    await stopServer(cluster, await findPostgresPrograms());
    return true;
  }

  url(database: string): string {
    const { password } = this.#cluster;
    return `postgresql://${SUPERUSER}:${password}@127.0.0.1:${this.port}/${encodeURIComponent(database)}`;
  }

  /** Leaves; the last to leave stops the server. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      if (await becomeLast(this.#presence)) await stopServer(this.#cluster, this.#programs);
    } catch (error) {
      if (!isGone(error)) throw error; // somebody stopped it already
    } finally {
      await this.#presence.end().catch(() => undefined);
    }
  }
}

/** A connection that shows our presence; null when the server isn't there, is about to go, or isn't ours. */
async function connectPresence(cluster: Cluster): Promise<Client | null> {
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

async function becomeLast(presence: Client): Promise<boolean> {
  await presence.query('SELECT pg_advisory_unlock_shared($1)', [PRESENCE_LOCK]);
  const { rows } = await presence.query<{ last: boolean }>(
    'SELECT pg_try_advisory_lock($1) AS last',
    [PRESENCE_LOCK],
  );
  return rows[0]?.last === true;
}

/** Null when it started; otherwise why not, which is no error where another process was quicker. */
async function tryToStart(cluster: Cluster, { pgCtl }: PostgresPrograms): Promise<string | null> {
  await removeForeignPidFile(cluster);
  if (await isStartingOrStopping(cluster)) return 'Another process has it.';
  const log = join(cluster.folder, 'start.log');
  const options = `-p ${await freePort()}`;
  try {
    await runProgram(
      pgCtl,
      ['start', '-w', '-t', '3600', '-D', cluster.folder, '-l', log, '-o', options],
      cluster.user,
    );
    return null;
  } catch (error) {
    return messageOf(error);
  }
}

async function isStartingOrStopping(cluster: Cluster): Promise<boolean> {
  const server = await readPostmaster(cluster);
  if (server === null) return false;
  try {
    process.kill(server.pid, 0);
    return true;
  } catch (error) {
    return systemErrorCode(error) === 'EPERM';
  }
}

async function stopServer({ folder, user }: Cluster, { pgCtl }: PostgresPrograms): Promise<void> {
  await runProgram(pgCtl, ['stop', '-w', '-m', 'fast', '-t', '60', '-D', folder], user);
}

async function didNotStart(cluster: Cluster, failure: string | null): Promise<PlatformError> {
  const reasons = [failure, await lastLogLines(cluster)].filter((reason) => reason !== null);
  return new PlatformError(
    'INVALID_CONFIG',
    `The Postgres server of ${cluster.folder} doesn't start. If no server runs, remove postmaster.pid there.\n${reasons.join('\n')}`,
  );
}

/** A port nobody listens on. Should somebody take it before the server does, the start fails and is tried again. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        if (address === null || typeof address === 'string') reject(new Error('No port.'));
        else resolve(address.port);
      });
    });
  });
}

/** Class 57P: the server starts, stops or was stopped. */
const GONE = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', '57P01', '57P02', '57P03']);

function isGone(error: unknown): boolean {
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
