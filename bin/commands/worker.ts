import type { Command } from 'commander';
import { parseConfig } from '../../indexer/config.ts';
import { runWorker } from '../../indexer/run-worker.ts';
import { openServices } from '../../indexer/services.ts';
import { Closers } from '../../platform/closers.ts';
import { createLogger } from '../../platform/logger.ts';
import { logLevelOf } from '../../platform/settings.ts';
import type { CommandContext } from '../program.ts';

export function addWorkerCommand(program: Command, context: CommandContext): void {
  program
    .command('worker')
    .description('Work on jobs until stopped, beside whatever other workers there are.')
    .action(() => work(context));
}

async function work({ environment, bundle, signal, err }: CommandContext): Promise<void> {
  const closers = new Closers();
  const logger = createLogger({ level: logLevelOf(environment, 'info') });
  try {
    const config = { ...parseConfig(environment), bundleFolder: bundle };
    const services = await openServices(config, { closers, logger });
    err('Waiting for jobs; Ctrl-C stops.\n');
    await runWorker({ services, logger, signal });
  } finally {
    await closers.close();
  }
}
