import { Option, type Command } from 'commander';
import { parseConfig } from '../../indexer/config.ts';
import { JOB_KINDS } from '../../indexer/jobs/index.ts';
import { runWorker } from '../../indexer/run-worker.ts';
import { openServices } from '../../indexer/services.ts';
import { Closers } from '../../platform/closers.ts';
import { createLogger } from '../../platform/logger.ts';
import { logLevelOf } from '../../platform/settings.ts';
import type { JobKind } from '../../store/jobs.ts';
import type { CommandContext } from '../program.ts';

interface WorkerFlags {
  readonly kinds?: readonly JobKind[];
}

export function addWorkerCommand(program: Command, context: CommandContext): void {
  program
    .command('worker')
    .description('Work on jobs until stopped, beside whatever other workers there are.')
    .addOption(
      new Option('--kinds <kinds...>', 'only jobs of these kinds').choices(
        JOB_KINDS.map(({ kind }) => kind),
      ),
    )
    .action((flags: WorkerFlags) => work(flags, context));
}

async function work(
  { kinds }: WorkerFlags,
  { environment, bundle, signal, err }: CommandContext,
): Promise<void> {
  const closers = new Closers();
  const logger = createLogger({ level: logLevelOf(environment, 'info') });
  try {
    const config = { ...parseConfig(environment), bundleFolder: bundle };
    const services = await openServices(config, { closers, logger });
    err('Waiting for jobs; Ctrl-C stops.\n');
    await runWorker({ services, logger, kinds, signal });
  } finally {
    await closers.close();
  }
}
