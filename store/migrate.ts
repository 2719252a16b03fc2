import { createHash, randomUUID } from 'node:crypto';
import { access, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Pool, PoolClient } from 'pg';
import { messageOf, PlatformError } from '../platform/errors.ts';

interface Migration {
  readonly name: string;
  readonly sql: string;
  /** SHA-256 of the file's bytes, in hex. */
  readonly checksum: string;
}

interface MigrationRow {
  readonly migration_name: string;
  readonly checksum: string;
  readonly finished_at: Date | null;
}

const MIGRATIONS = fileURLToPath(new URL('../prisma/migrations', import.meta.url));

/** The lock that Prisma's own engine takes, so that both can run at once. */
const PRISMA_LOCK = 72_707_369;

/** Prisma's table, as Prisma creates it. */
const CREATE_TABLE = `
  CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
    "id" VARCHAR(36) PRIMARY KEY NOT NULL,
    "checksum" VARCHAR(64) NOT NULL,
    "finished_at" TIMESTAMPTZ,
    "migration_name" VARCHAR(255) NOT NULL,
    "logs" TEXT,
    "rolled_back_at" TIMESTAMPTZ,
    "started_at" TIMESTAMPTZ NOT NULL DEFAULT now(),
    "applied_steps_count" INTEGER NOT NULL DEFAULT 0
  )`;

/**
 * Applies the migrations that are pending and gives their names. Any number of processes may call it at once: one
 * applies, the others wait and find nothing to do. Writes the rows `prisma migrate deploy` would write.
 */
export async function migrate(pool: Pool, folder = MIGRATIONS): Promise<readonly string[]> {
  const migrations = await readMigrations(folder);
  const client = await pool.connect();
  try {
    await client.query('SELECT pg_advisory_lock($1)', [PRISMA_LOCK]);
    await client.query(CREATE_TABLE);
    const pending = await findPending(client, migrations);
    for (const migration of pending) await apply(client, migration);
    return pending.map(({ name }) => name);
  } finally {
    await client.query('SELECT pg_advisory_unlock($1)', [PRISMA_LOCK]).catch(() => undefined);
    client.release();
  }
}

async function readMigrations(folder: string): Promise<readonly Migration[]> {
  const migrations: Migration[] = [];
  for (const name of (await readdir(folder)).sort()) {
    const file = join(folder, name, 'migration.sql');
    if (!(await isThere(file))) continue;
    const bytes = await readFile(file);
    const checksum = createHash('sha256').update(bytes).digest('hex');
    migrations.push({ name, sql: bytes.toString('utf8'), checksum });
  }
  return migrations;
}

function isThere(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

async function findPending(
  client: PoolClient,
  migrations: readonly Migration[],
): Promise<readonly Migration[]> {
  const { rows } = await client.query<MigrationRow>(
    'SELECT migration_name, checksum, finished_at FROM _prisma_migrations WHERE rolled_back_at IS NULL',
  );
  refuseUnknown(rows, migrations);
  const applied = new Map(rows.map((row) => [row.migration_name, row]));
  return migrations.filter((migration) => {
    const row = applied.get(migration.name);
    if (row) refuseUnlessSame(row, migration);
    return row === undefined;
  });
}

function refuseUnknown(rows: readonly MigrationRow[], migrations: readonly Migration[]): void {
  const known = new Set(migrations.map(({ name }) => name));
  const unknown = rows.find((row) => !known.has(row.migration_name));
  if (unknown === undefined) return;
  throw new PlatformError(
    'INVALID_CONFIG',
    `The database was changed by a newer version (migration ${unknown.migration_name}). Start that version, or name another database.`,
  );
}

function refuseUnlessSame(row: MigrationRow, { name, checksum }: Migration): void {
  if (row.finished_at === null) {
    throw new PlatformError(
      'INVALID_CONFIG',
      `Migration ${name} failed on this database before. Mend it, then run "npx prisma migrate resolve --rolled-back ${name}" and start again.`,
    );
  }
  if (row.checksum !== checksum) {
    throw new PlatformError(
      'INVALID_CONFIG',
      `Migration ${name} is not the one that was applied to this database. Restore the file, and put changes in a new migration.`,
    );
  }
}

/** The file in one transaction; the row before it in another, so that a failure leaves its mark. */
async function apply(client: PoolClient, { name, sql, checksum }: Migration): Promise<void> {
  const id = randomUUID();
  await client.query(
    'INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ($1, $2, $3)',
    [id, checksum, name],
  );
  try {
    await client.query(sql); // several statements in one message are one transaction
  } catch (cause) {
    const reason = messageOf(cause);
    await client.query('UPDATE _prisma_migrations SET logs = $2 WHERE id = $1', [id, reason]);
    throw new PlatformError('INVALID_CONFIG', `Migration ${name} failed: ${reason}`, { cause });
  }
  await client.query(
    'UPDATE _prisma_migrations SET finished_at = now(), applied_steps_count = 1 WHERE id = $1',
    [id],
  );
}
