import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { messageOf, systemErrorCode } from '../platform/errors.ts';
import {
  isForeignPidFile,
  readPostmaster,
  removeForeignPidFile,
  type Cluster,
} from './postgres-cluster.ts';
import { runProgram, type PostgresPrograms } from './postgres-programs.ts';

/** Null when it started; otherwise why not, which is no error where another process was quicker. */
export async function tryToStart(
  cluster: Cluster,
  { pgCtl }: PostgresPrograms,
  port: number,
): Promise<string | null> {
  await removeForeignPidFile(cluster);
  if ((await readServerState(cluster)) === 'alive') return 'Another process has it.';
  const log = join(cluster.folder, 'start.log');
  const options = `-p ${port}`;
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

/** `alive` while it starts and stops, too; `dead`: it ended without cleaning up; `gone`: it was stopped, or never ran. */
export type ServerState = 'alive' | 'dead' | 'gone';

export async function readServerState(cluster: Cluster): Promise<ServerState> {
  const server = await readPostmaster(cluster);
  if (server === null) return 'gone';
  if (isRunning(server.pid) && !(await isForeignPidFile(cluster))) return 'alive';
  // A server that stops removes its file before it ends: it may have done so between the two looks.
  return (await readPostmaster(cluster)) === null ? 'gone' : 'dead';
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemErrorCode(error) === 'EPERM';
  }
}

export async function stopServer(
  { folder, user }: Cluster,
  { pgCtl }: PostgresPrograms,
): Promise<void> {
  await runProgram(pgCtl, ['stop', '-w', '-m', 'fast', '-t', '60', '-D', folder], user);
}

/** The port of the server that ran last; null: none ran. Its `postmaster.pid` may be put aside by somebody just now. */
export async function readLastPort({ folder }: Cluster): Promise<number | null> {
  const options = await readFile(join(folder, 'postmaster.opts'), 'utf8').catch(() => '');
  const port = /"-p" "(\d+)"/.exec(options)?.[1];
  return port === undefined ? null : Number(port);
}

/** A port nobody listens on. Should somebody take it before the server does, the start fails and is tried again. */
export function freePort(): Promise<number> {
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
