import { setTimeout as pause } from 'node:timers/promises';
import type { Command } from 'commander';
import { parseConfig } from '../../api/config.ts';
import { PlatformError, systemErrorCode } from '../../platform/errors.ts';
import { EmbeddedPostgres } from '../../store/embedded-postgres.ts';
import type { CommandContext } from '../program.ts';
import { findServer } from '../server-file.ts';

const LOOK_EVERY_MS = 100;
const PATIENCE_MS = 30_000;

export function addStopCommand(program: Command, context: CommandContext): void {
  program
    .command('stop')
    .description('Stop the server of DATA_DIR and its embedded Postgres, whoever started them.')
    .action(() => stop(context));
}

async function stop({ environment, err }: CommandContext): Promise<void> {
  const { dataFolder } = parseConfig(environment);
  const server = await findServer(dataFolder);
  if (server !== null) {
    process.kill(server.pid, 'SIGTERM');
    await untilGone(server.pid);
    err('The server has stopped.\n');
  }
  const hadPostgres = await EmbeddedPostgres.stop(dataFolder);
  if (hadPostgres) err('The embedded Postgres has stopped.\n');
  if (server === null && !hadPostgres) err('Nothing was running.\n');
}

async function untilGone(pid: number): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (isAlive(pid)) {
    if (performance.now() > deadline) {
      throw new PlatformError('CONFLICT', `The server (process ${pid}) does not stop.`);
    }
    await pause(LOOK_EVERY_MS);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemErrorCode(error) === 'EPERM';
  }
}
