import { randomBytes } from 'node:crypto';
import {
  appendFile,
  chown,
  link,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  realpath,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { messageOf, PlatformError, systemErrorCode } from '../platform/errors.ts';
import {
  possibleServerUsers,
  runProgram,
  serverUserOf,
  type PostgresPrograms,
  type ServerUser,
} from './postgres-programs.ts';

/** The server's files: `<data folder>/pg`. */
export interface Cluster {
  readonly folder: string;
  readonly user: ServerUser;
  /** Of SUPERUSER; only who can read the data folder knows it. */
  readonly password: string;
}

export const SUPERUSER = 'sharelock';
const PASSWORD_FILE = 'sharelock-password';

/** TCP on the loopback only: socket paths are short of room, and Windows has none. */
const SETTINGS = `
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 200
logging_collector = on
log_directory = 'log'
log_filename = 'server-%a.log'
log_truncate_on_rotation = on
log_rotation_age = 1d
log_rotation_size = 0
`;

/**
 * The cluster of a data folder, made if there is none. It is made aside and renamed into place, so that it is there
 * whole or not at all, and of two processes that make it at once the slower one takes the other's.
 */
export async function openCluster(
  dataFolder: string,
  programs: PostgresPrograms,
): Promise<Cluster> {
  const folder = join(await makeFolder(dataFolder), 'pg');
  if (!(await isThere(join(folder, 'PG_VERSION')))) await createCluster(folder, programs);
  return readCluster(folder);
}

/** Its real path. */
async function makeFolder(folder: string): Promise<string> {
  try {
    await mkdir(folder, { recursive: true });
    return await realpath(folder);
  } catch (cause) {
    const reason = `The data folder ${folder} can't be made: ${messageOf(cause)}`;
    throw new PlatformError('INVALID_CONFIG', `${reason}. Name another one.`, { cause });
  }
}

/** The cluster of a data folder, or null when there is none. */
export async function findCluster(dataFolder: string): Promise<Cluster | null> {
  const folder = join(dataFolder, 'pg');
  if (!(await isThere(join(folder, 'PG_VERSION')))) return null;
  return readCluster(await realpath(folder));
}

async function readCluster(folder: string): Promise<Cluster> {
  try {
    const password = await readFile(join(folder, PASSWORD_FILE), 'utf8');
    return { folder, password, user: serverUserOf(await stat(folder)) };
  } catch (cause) {
    const reason = `${folder} can't be read: ${messageOf(cause)}`;
    const hint = 'Start as the user who owns it, or name another data folder.';
    throw new PlatformError('INVALID_CONFIG', `${reason}. ${hint}`, { cause });
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return false;
    return true; // closed to us, which `readCluster` says
  }
}

async function createCluster(folder: string, programs: PostgresPrograms): Promise<void> {
  await removeAbandonedStaging(folder);
  const failures: string[] = [];
  for (const user of await possibleServerUsers()) {
    const staging = await mkdtemp(`${folder}.new-`);
    try {
      await initialize(staging, user, programs);
      await rename(staging, folder);
      return;
    } catch (error) {
      await rm(staging, { recursive: true, force: true });
      if (await isThere(join(folder, 'PG_VERSION'))) return; // another process was quicker
      failures.push(messageOf(error));
    }
  }
  throw new PlatformError(
    'INVALID_CONFIG',
    `No Postgres could be set up in ${folder}. Set DATABASE_URL to a server of yours, or start as another user than root. ${failures.join(' | ')}`,
  );
}

const ABANDONED_AFTER_MS = 10 * 60_000;

/** What processes left behind that were killed while they made a cluster. */
async function removeAbandonedStaging(folder: string): Promise<void> {
  const parent = dirname(folder);
  const names = (await readdir(parent)).filter((name) => name.startsWith('pg.new-'));
  for (const path of names.map((name) => join(parent, name))) {
    const { mtimeMs } = await stat(path);
    if (Date.now() - mtimeMs > ABANDONED_AFTER_MS) await rm(path, { recursive: true, force: true });
  }
}

async function initialize(
  folder: string,
  user: ServerUser,
  { initdb }: PostgresPrograms,
): Promise<void> {
  const passwordFile = join(folder, '..', `.${randomBytes(8).toString('hex')}.pw`);
  const password = randomBytes(24).toString('base64url');
  const give = async (path: string): Promise<void> => {
    if (user.kind === 'account') await chown(path, user.uid, user.gid);
  };
  await writeFile(passwordFile, password, { mode: 0o600 });
  try {
    await give(passwordFile);
    await give(folder);
    await runProgram(
      initdb,
      [
        ...['-D', folder, '-U', SUPERUSER, '-E', 'UTF8', '--locale=C'],
        ...['-A', 'scram-sha-256', `--pwfile=${passwordFile}`],
      ],
      user,
    );
  } finally {
    await rm(passwordFile, { force: true });
  }
  await appendFile(join(folder, 'postgresql.conf'), SETTINGS);
  await writeFile(join(folder, PASSWORD_FILE), password, { mode: 0o600 });
  await give(join(folder, PASSWORD_FILE));
}

export interface RunningServer {
  readonly pid: number;
  readonly port: number;
}

/** What `postmaster.pid` says, whether or not that server still lives; null when there is none, or it has no port yet. */
export async function readPostmaster({ folder }: Cluster): Promise<RunningServer | null> {
  const text = await readFile(join(folder, 'postmaster.pid'), 'utf8').catch(() => '');
  const lines = text.split('\n');
  const server = z
    .object({ pid: z.coerce.number().int().positive(), port: z.coerce.number().int().positive() })
    .safeParse({ pid: lines[0], port: lines[3] });
  return server.success ? server.data : null;
}

/**
 * Removes a `postmaster.pid` that no server stands behind, although a process of that number lives: another one after a
 * container restarted, or a corpse nobody buried. The server itself would refuse to start. Linux only, where the
 * working folders of processes tell for certain; removing it under a living server would cost the data.
 */
export async function removeForeignPidFile(cluster: Cluster): Promise<void> {
  const server = await readPostmaster(cluster);
  if (server === null || !(await isForeignPidFile(cluster))) return;
  const path = join(cluster.folder, 'postmaster.pid');
  const aside = `${path}.${randomBytes(4).toString('hex')}`;
  try {
    await rename(path, aside);
    const moved = await readFile(aside, 'utf8');
    if (!moved.startsWith(`${server.pid}\n`)) await link(aside, path); // a new server's, after all
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error; // another process was quicker
  } finally {
    await rm(aside, { force: true });
  }
}

/** Whether it is known that no server stands behind the `postmaster.pid`, whatever process has that number. */
export async function isForeignPidFile({ folder }: Cluster): Promise<boolean> {
  return process.platform === 'linux' && !(await hasProcessIn(folder));
}

/** Whether a process works in this folder, as a server and each of its backends does. */
async function hasProcessIn(folder: string): Promise<boolean> {
  const processes = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const folders = await Promise.all(
    processes.map((pid) => readlink(`/proc/${pid}/cwd`).catch(() => null)),
  );
  return folders.includes(folder);
}

/** The end of the server's log, for an error message. */
export async function lastLogLines({ folder }: Cluster): Promise<string> {
  const logs = await readdir(join(folder, 'log')).catch((): string[] => []);
  const files = ['start.log', ...logs.map((name) => join('log', name))];
  const dated = await Promise.all(
    files.map(async (name) => {
      const text = await readFile(join(folder, name), 'utf8').catch(() => '');
      return text.trim().split('\n').slice(-3).join('\n');
    }),
  );
  return dated.filter((text) => text !== '').join('\n');
}
