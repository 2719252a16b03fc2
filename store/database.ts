import { PrismaPg } from '@prisma/adapter-pg';
import { Client, DatabaseError, Pool, type ClientConfig } from 'pg';
import { messageOf, PlatformError, systemErrorCode } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import { EmbeddedPostgres } from './embedded-postgres.ts';
import { PrismaClient } from './generated/prisma/client.ts';

export type { PrismaClient };

export interface DatabaseOptions {
  /** `postgresql://user:password@host:port/name`. Null: the embedded server of `dataFolder`. */
  readonly url: string | null;
  readonly dataFolder: string;
  /** Connections of this process. Default 10; a server takes 100 or more in all. */
  readonly maxConnections?: number;
  /** A statement that takes longer is ended with an error. Default: none is. */
  readonly statementTimeoutMs?: number;
  /** Shown in pg_stat_activity. Default "sharelock". */
  readonly applicationName?: string;
  readonly logger?: Logger;
}

const EMBEDDED_NAME = 'sharelock';
const CONNECT_TIMEOUT_MS = 10_000;

/**
 * The database: Prisma for metadata, a `pg` pool for everything hot, both on the same connections. It is reachable when
 * `open` resolves; `migrate` brings it up to date.
 */
export class Database {
  readonly url: string;
  readonly pool: Pool;
  readonly prisma: PrismaClient;
  readonly #embedded: EmbeddedPostgres | null;

  private constructor(url: string, embedded: EmbeddedPostgres | null, options: DatabaseOptions) {
    this.url = url;
    this.#embedded = embedded;
    this.pool = createPool(url, options);
    this.prisma = new PrismaClient({ adapter: new PrismaPg(this.pool) });
  }

  static async open(options: DatabaseOptions): Promise<Database> {
    if (options.url !== null) return Database.#connect(options.url, null, options);
    const embedded = await EmbeddedPostgres.open(options);
    try {
      await createDatabase(embedded.url('postgres'), EMBEDDED_NAME);
      return await Database.#connect(embedded.url(EMBEDDED_NAME), embedded, options);
    } catch (error) {
      await embedded.close();
      throw error;
    }
  }

  static async #connect(
    url: string,
    embedded: EmbeddedPostgres | null,
    options: DatabaseOptions,
  ): Promise<Database> {
    await checkConnection(url);
    return new Database(url, embedded, options);
  }

  get isEmbedded(): boolean {
    return this.#embedded !== null;
  }

  /** A connection of one's own, for LISTEN. The caller connects and ends it. */
  createClient(): Client {
    return new Client(connectionOf(this.url));
  }

  /** Waits for running queries, closes the connections, and leaves the embedded server. */
  async close(): Promise<void> {
    await this.prisma.$disconnect();
    await this.pool.end();
    await this.#embedded?.close();
  }
}

function connectionOf(url: string): ClientConfig {
  return {
    connectionString: url,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
  };
}

function createPool(url: string, options: DatabaseOptions): Pool {
  const { maxConnections = 10, applicationName = 'sharelock', logger } = options;
  const { statementTimeoutMs } = options;
  const pool = new Pool({
    ...connectionOf(url),
    ...(statementTimeoutMs === undefined ? {} : { statement_timeout: statementTimeoutMs }),
    max: maxConnections,
    application_name: applicationName,
  });
  // An idle connection died; the pool replaces it. Without a listener the process would die too.
  pool.on('error', (error) => logger?.warn({ err: error }, 'A database connection was lost.'));
  return pool;
}

const OLDEST_VERSION = 140_000;

async function checkConnection(url: string): Promise<void> {
  if (!/^postgres(ql)?:\/\//.test(url) || !URL.canParse(url)) {
    throw new PlatformError(
      'INVALID_CONFIG',
      'DATABASE_URL must look like postgresql://user:password@host:5432/name.',
    );
  }
  const version = await withClient(url, async (client) => {
    const { rows } = await client.query<{ version: number }>(
      "SELECT current_setting('server_version_num')::int AS version",
    );
    return rows[0]?.version ?? 0;
  });
  if (version >= OLDEST_VERSION) return;
  throw new PlatformError('INVALID_CONFIG', 'DATABASE_URL must name PostgreSQL 14 or newer.');
}

const DUPLICATE_DATABASE = '42P04';
const UNIQUE_VIOLATION = '23505'; // two created it at the same moment

async function createDatabase(url: string, name: string): Promise<void> {
  await withClient(url, async (client) => {
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [name]);
    if (rowCount === 1) return;
    try {
      await client.query(`CREATE DATABASE ${client.escapeIdentifier(name)}`);
    } catch (error) {
      const code = error instanceof DatabaseError ? error.code : undefined;
      if (code !== DUPLICATE_DATABASE && code !== UNIQUE_VIOLATION) throw error;
    }
  });
}

async function withClient<T>(url: string, run: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client(connectionOf(url));
  client.on('error', () => undefined); // the query that fails says it
  try {
    await client.connect();
  } catch (cause) {
    await client.end().catch(() => undefined);
    const reason = `The database can't be reached: ${reasonOf(cause)}.`;
    throw new PlatformError('INVALID_CONFIG', `${reason} Check DATABASE_URL.`, { cause });
  }
  try {
    return await run(client);
  } finally {
    await client.end();
  }
}

/** Never the URL, which holds the password. A refused connection to several addresses has no message of its own. */
function reasonOf(error: unknown): string {
  const message = messageOf(error);
  return message === '' ? (systemErrorCode(error) ?? 'no reason given') : message;
}
