import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { migrate } from '../../store/migrate.ts';
import { rootPath, temporaryFolder } from '../support/bundles.ts';
import { openDatabase, useEmptyDatabase } from '../support/database.ts';
import { withCode } from '../support/errors.ts';

const run = promisify(execFile);
const OURS = rootPath('prisma/migrations');
const NAMES = (await readdir(OURS, { withFileTypes: true }))
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .sort();

/** A copy of our migrations with one more. */
async function migrationsWith(name: string, sql: string): Promise<string> {
  const folder = join(await temporaryFolder(), 'migrations');
  await cp(OURS, folder, { recursive: true });
  await mkdir(join(folder, name));
  await writeFile(join(folder, name, 'migration.sql'), sql);
  return folder;
}

function prisma(url: string, ...args: string[]): Promise<{ stdout: string }> {
  const options = { cwd: rootPath('.'), env: { ...process.env, DATABASE_URL: url } };
  return run(process.execPath, [rootPath('node_modules/prisma/build/index.js'), ...args], options);
}

test('of many that start at once one applies and the others wait', async () => {
  const url = await useEmptyDatabase();
  const databases = await Promise.all(Array.from({ length: 6 }, () => openDatabase(url)));

  const applied = await Promise.all(databases.map(({ pool }) => migrate(pool)));

  expect(applied.flat()).toEqual(NAMES);
  expect(await databases[0]?.prisma.collection.count()).toBe(0);
});

test('Prisma takes the database for its own, and finds nothing that the schema lacks', async () => {
  const url = await useEmptyDatabase();
  const { pool } = await openDatabase(url);
  await migrate(pool);
  const diff = ['--from-config-datasource', '--to-schema', 'prisma/schema.prisma', '--exit-code'];

  const status = await prisma(url, 'migrate', 'status');
  const deployed = await prisma(url, 'migrate', 'deploy');
  await prisma(url, 'migrate', 'diff', ...diff); // would exit with 2

  expect(status.stdout).toMatch(/schema is up to date/);
  expect(deployed.stdout).toMatch(/No pending migrations/);
  await pool.query('ALTER TABLE collections ADD COLUMN stray INT');
  await expect(prisma(url, 'migrate', 'diff', ...diff)).rejects.toMatchObject({ code: 2 });
});

test('a database that Prisma migrated needs nothing more', async () => {
  const url = await useEmptyDatabase();
  await prisma(url, 'migrate', 'deploy');

  expect(await migrate((await openDatabase(url)).pool)).toEqual([]);
});

test('a migration that fails changes nothing and is not tried again', async () => {
  const { pool } = await openDatabase(await useEmptyDatabase());
  const folder = await migrationsWith('3_bad', 'CREATE TABLE half (id INT); SELECT nonsense;');

  await expect(migrate(pool, folder)).rejects.toMatchObject(withCode('INVALID_CONFIG'));
  await expect(migrate(pool, folder)).rejects.toThrow(/failed on this database before/);

  const { rows } = await pool.query<{ half: string | null }>("SELECT to_regclass('half') AS half");
  expect(rows).toEqual([{ half: null }]);
});

test('an edited migration and a newer database are refused', async () => {
  const { pool } = await openDatabase(await useEmptyDatabase());
  const folder = await migrationsWith('3_more', 'SELECT 1; -- semicolons; in comments');
  expect(await migrate(pool, folder)).toEqual([...NAMES, '3_more']);

  await writeFile(join(folder, '3_more', 'migration.sql'), 'SELECT 2;');

  await expect(migrate(pool, folder)).rejects.toThrow(/not the one that was applied/);
  await expect(migrate(pool)).rejects.toThrow(/newer version \(migration 3_more\)/);
});
