import { createHash, randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';
import { Client, Pool } from 'pg';
import { Closers, type Close } from '../../platform/closers.ts';
import { Database } from '../../store/database.ts';
import { EmbeddedPostgres } from '../../store/embedded-postgres.ts';
import { migrate } from '../../store/migrate.ts';
import { rootPath } from './bundles.ts';

const MIGRATIONS = rootPath('prisma/migrations');
/** Kept between runs, so that only the first one sets a server up. */
const TEST_DATA = rootPath('data/test');
const TEMPLATE_LOCK = 4_711;

/**
 * A database of the test file's own, with all migrations: a clone of a template. On DATABASE_URL's server where that is
 * set, otherwise on an embedded one. It is dropped after the test file.
 */
export async function useDatabase(): Promise<Database> {
  return openDatabase(await useEmptyDatabase(await migratedTemplate()));
}

/** The URL of a database of the test file's own. */
export async function useEmptyDatabase(template = 'template0'): Promise<string> {
  const name = `sharelock_test_${randomBytes(6).toString('hex')}`;
  await asAdministrator(`CREATE DATABASE ${name} TEMPLATE ${template}`);
  closers.add(() => asAdministrator(`DROP DATABASE ${name} WITH (FORCE)`));
  return urlOf(name);
}

/** Opens and, after the test file, closes it. */
export async function openDatabase(url: string): Promise<Database> {
  const database = await Database.open({ url, dataFolder: TEST_DATA });
  closers.add(() => database.close());
  return database;
}

/** Does something while the database is away: its connections are ended, and it takes no new ones. */
export async function whileAway<T>({ url }: Database, body: () => Promise<T>): Promise<T> {
  const name = new URL(url).pathname.slice(1);
  await asAdministrator(`ALTER DATABASE ${name} WITH ALLOW_CONNECTIONS false`);
  const client = new Client({ connectionString: await urlOf('postgres') });
  await client.connect();
  try {
    await client.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1',
      [name],
    );
    return await body();
  } finally {
    await client.end();
    await asAdministrator(`ALTER DATABASE ${name} WITH ALLOW_CONNECTIONS true`);
  }
}

/** Closes what works with the database before the database goes. */
export function closeBeforeDatabase(close: Close): void {
  closers.add(close);
}

const closers = new Closers();
afterAll(() => closers.close());

let server: Promise<string> | null = null;

async function urlOf(database: string): Promise<string> {
  server ??= findServer();
  const url = new URL(await server);
  url.pathname = `/${database}`;
  return url.href;
}

async function findServer(): Promise<string> {
  const url = process.env['DATABASE_URL'];
  if (url !== undefined && url !== '') return url;
  const embedded = await EmbeddedPostgres.open({ dataFolder: TEST_DATA });
  closers.add(() => embedded.close());
  return embedded.url('postgres');
}

async function asAdministrator(sql: string): Promise<void> {
  const client = new Client({ connectionString: await urlOf('postgres') });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

/** The template's name, which says what is in it. Made by whichever test file comes first. */
async function migratedTemplate(): Promise<string> {
  const name = `sharelock_template_${await hashMigrations()}`;
  const client = new Client({ connectionString: await urlOf('postgres') });
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock($1)', [TEMPLATE_LOCK]);
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [name]);
    if (rowCount === 0) await createTemplate(client, name);
  } finally {
    await client.end();
  }
  return name;
}

async function createTemplate(client: Client, name: string): Promise<void> {
  const draft = `${name}_draft`;
  await client.query(`DROP DATABASE IF EXISTS ${draft}`);
  await client.query(`CREATE DATABASE ${draft} TEMPLATE template0`);
  const pool = new Pool({ connectionString: await urlOf(draft) });
  try {
    await migrate(pool);
  } finally {
    await pool.end();
  }
  await client.query(`ALTER DATABASE ${draft} RENAME TO ${name}`);
}

async function hashMigrations(): Promise<string> {
  const hash = createHash('sha256');
  for (const name of (await readdir(MIGRATIONS)).sort()) {
    hash.update(await readFile(join(MIGRATIONS, name, 'migration.sql')).catch(() => ''));
  }
  return hash.digest('hex').slice(0, 12);
}
