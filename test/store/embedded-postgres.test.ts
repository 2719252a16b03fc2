import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { Database } from '../../store/database.ts';
import { EmbeddedPostgres } from '../../store/embedded-postgres.ts';
import { rootPath } from '../support/bundles.ts';
import { withCode } from '../support/errors.ts';
import { until } from '../support/until.ts';

const NOBODY = 65534;
const isRoot = process.getuid?.() === 0;

/** Setting up a server takes a second, so most tests share one, stopped in between. */
let sharedFolder = '';
let dataFolder = '';
const folders: string[] = [];
const processes: ChildProcess[] = [];

async function freshFolder(): Promise<string> {
  const parent = await mkdtemp(join(tmpdir(), 'sharelock test '));
  folders.push(parent);
  await chmod(parent, 0o755);
  dataFolder = join(parent, 'my data');
  return dataFolder;
}

beforeAll(async () => {
  sharedFolder = await freshFolder();
});
beforeEach(() => {
  dataFolder = sharedFolder;
});
afterEach(async () => {
  for (const process of processes.splice(0)) process.kill('SIGKILL');
  await EmbeddedPostgres.stop(dataFolder);
});
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

/** Another process that uses the server. */
interface User {
  readonly process: ChildProcess;
  readonly url: string;
  leave(): Promise<void>;
}

async function startUser(options: { uid?: number; gid?: number } = {}): Promise<User> {
  const script = rootPath('test/store/embedded-user.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', script, dataFolder], {
    ...options,
    cwd: rootPath('.'),
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  processes.push(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const first = await lines.next();
  const url = /^ready (.*)/.exec(first.done === true ? '' : first.value)?.[1];
  if (url === undefined) throw new Error('The process ended before it was ready.');
  const leave = async (): Promise<void> => {
    const exit = once(child, 'exit');
    child.stdin.end();
    await exit;
  };
  return { process: child, url, leave };
}

async function kill({ process }: User): Promise<void> {
  const exit = once(process, 'exit');
  process.kill('SIGKILL');
  await exit;
}

async function ask(url: string, sql: string): Promise<unknown> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rows } = await client.query<{ answer: unknown }>(`SELECT ${sql} AS answer`);
    return rows[0]?.answer;
  } finally {
    await client.end();
  }
}

async function serverPid(): Promise<number> {
  const text = await readFile(join(dataFolder, 'pg', 'postmaster.pid'), 'utf8');
  return Number(text.split('\n')[0]);
}

function isAlive(url: string): Promise<boolean> {
  return ask(url, '1').then(
    () => true,
    () => false,
  );
}

test('a folder with spaces gets a server, which the last to leave stops', async () => {
  const first = await EmbeddedPostgres.open({ dataFolder });
  const second = await EmbeddedPostgres.open({ dataFolder });
  const url = first.url('postgres');
  expect(second.url('postgres')).toBe(url);
  expect(await ask(url, "current_setting('server_version_num')::int / 10000")).toBe(17);

  await first.close();
  await first.close();
  expect(await isAlive(url)).toBe(true);
  await second.close();

  expect(await isAlive(url)).toBe(false);
  expect(await readdir(dataFolder)).toEqual(['pg']);
  expect(await EmbeddedPostgres.stop(dataFolder)).toBe(false);
});

test('what was committed is there after a stop and a new start', async () => {
  const options = { url: null, dataFolder };
  const before = await Database.open(options);
  await before.pool.query('CREATE TABLE kept AS SELECT 42 AS answer');
  await before.close();

  const after = await Database.open(options);
  const { rows } = await after.pool.query('SELECT answer FROM kept');
  expect(after.isEmbedded).toBe(true);
  await after.close();

  expect(rows).toEqual([{ answer: 42 }]);
});

test('two processes that start at once share one server', async () => {
  await freshFolder();
  const [one, two, three] = await Promise.all([startUser(), startUser(), startUser()]);

  expect(new Set([one.url, two.url, three.url]).size).toBe(1);
  expect(await readdir(dataFolder)).toEqual(['pg']);
  await Promise.all([one.leave(), two.leave(), three.leave()]);
  expect(await isAlive(one.url)).toBe(false);
});

test('kill -9 of the process that started it leaves the server to the others', async () => {
  const starter = await startUser();
  const pid = await serverPid();

  await kill(starter);

  expect(await isAlive(starter.url)).toBe(true);
  const joined = await EmbeddedPostgres.open({ dataFolder });
  expect(joined.url('postgres')).toBe(starter.url);
  expect(await serverPid()).toBe(pid);
  await joined.close(); // the killed one is not counted
  expect(await isAlive(starter.url)).toBe(false);
});

test('kill -9 of the server is recovered from by the next start, on its port', async () => {
  const postgres = await EmbeddedPostgres.open({ dataFolder });
  const url = postgres.url('postgres');
  process.kill(await serverPid(), 'SIGKILL');

  const again = await EmbeddedPostgres.open({ dataFolder });
  expect(await ask(again.url('postgres'), '1')).toBe(1);
  await postgres.close(); // the other one uses it

  expect(again.url('postgres')).toBe(url);
  expect(await isAlive(url)).toBe(true);
  await again.close();
  expect(await isAlive(url)).toBe(false);
});

test('kill -9 of the server is recovered from by those who use it', async () => {
  const other = await startUser();
  const database = await Database.open({ url: null, dataFolder });
  await database.pool.query('CREATE TABLE survivors AS SELECT 42 AS answer');

  for (let kill = 0; kill < 3; kill++) {
    const pid = await serverPid();
    process.kill(pid, 'SIGKILL');
    await until('another server runs', () =>
      serverPid().then(
        (now) => now !== pid,
        () => false,
      ),
    );
    await until('it answers on the port of the first', () => isAlive(other.url));
  }

  const { rows } = await database.pool.query('SELECT answer FROM survivors');
  expect(rows).toEqual([{ answer: 42 }]);
  // Who was slower tries to start it, too, and joins a second later.
  const joined = `(SELECT count(*)::int FROM pg_stat_activity WHERE application_name = 'sharelock presence')`;
  await until('both have joined it', async () => (await ask(other.url, joined)) === 2);
  await database.close();
  expect(await isAlive(other.url)).toBe(true);
  await other.leave();
  expect(await isAlive(other.url)).toBe(false);
});

test('a pid file that names a stranger does not keep the server from starting', async () => {
  await (await EmbeddedPostgres.open({ dataFolder })).close();
  const stale = [process.pid, join(dataFolder, 'pg'), 1, 5432, '', '127.0.0.1', '', 'ready', ''];
  const file = join(dataFolder, 'pg', 'postmaster.pid');
  await writeFile(file, stale.join('\n'), { mode: 0o644 });

  const postgres = await EmbeddedPostgres.open({ dataFolder });

  expect(await isAlive(postgres.url('postgres'))).toBe(true);
  await postgres.close();
});

test('stop ends it whoever uses it, and their queries say so', async () => {
  const postgres = await EmbeddedPostgres.open({ dataFolder });

  expect(await EmbeddedPostgres.stop(dataFolder)).toBe(true);

  expect(await isAlive(postgres.url('postgres'))).toBe(false);
  await postgres.close();
});

test('only who has the password gets in', async () => {
  const postgres = await EmbeddedPostgres.open({ dataFolder });
  const url = new URL(postgres.url('postgres'));
  url.password = 'guess';

  await expect(ask(url.href, '1')).rejects.toMatchObject({ code: '28P01' });

  const file = await stat(join(dataFolder, 'pg', 'sharelock-password'));
  expect(file.mode & 0o077).toBe(0);
  await postgres.close();
});

test('a folder where nothing can be made is refused with what to do', async () => {
  const file = join(dataFolder, '..', 'file');
  await writeFile(file, '');

  const opening = EmbeddedPostgres.open({ dataFolder: join(file, 'data') });

  await expect(opening).rejects.toMatchObject(withCode('INVALID_CONFIG'));
});

// Running as another account takes root.
const describeAsRoot = isRoot ? describe : describe.skip;
describeAsRoot('as root', () => {
  test('the server is not root', async () => {
    const postgres = await EmbeddedPostgres.open({ dataFolder });

    const { uid } = await stat(join(dataFolder, 'pg'));
    const process_ = await stat(`/proc/${await serverPid()}`);

    expect(uid).not.toBe(0);
    expect(process_.uid).toBe(uid);
    await postgres.close();
  });

  test('a folder that only root can reach works too', async () => {
    await freshFolder();
    await mkdir(dataFolder);
    await chmod(join(dataFolder, '..'), 0o700);
    const first = await EmbeddedPostgres.open({ dataFolder });
    await first.close();

    const second = await EmbeddedPostgres.open({ dataFolder });

    expect(await isAlive(second.url('postgres'))).toBe(true);
    await second.close();
  });

  test('another user starts, joins and stops a server of their own', async () => {
    await freshFolder();
    await mkdir(dataFolder);
    await chown(dataFolder, NOBODY, NOBODY);
    const account = { uid: NOBODY, gid: NOBODY };

    const [one, two] = await Promise.all([startUser(account), startUser(account)]);

    expect(one.url).toBe(two.url);
    expect((await stat(`/proc/${await serverPid()}`)).uid).toBe(NOBODY);
    await one.leave();
    expect(await isAlive(one.url)).toBe(true);
    await two.leave();
    expect(await isAlive(one.url)).toBe(false);
  });
});
