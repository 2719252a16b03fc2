import type { Command } from 'commander';
import { parseConfig } from '../../indexer/config.ts';
import { openServices } from '../../indexer/services.ts';
import { startRevert } from '../../indexer/tagging/start-run.ts';
import { Closers } from '../../platform/closers.ts';
import { PlatformError } from '../../platform/errors.ts';
import { createLogger } from '../../platform/logger.ts';
import { recordAudit } from '../../store/audit.ts';
import { findTagRun } from '../../store/tag-runs.ts';
import type { CommandContext } from '../program.ts';
import { Progress } from '../progress.ts';
import { COMMAND_LINE } from '../with-database.ts';
import { workOnJob } from '../work-on-job.ts';

export function addRevertCommand(tags: Command, context: CommandContext): void {
  tags
    .command('revert')
    .description("Take a run's tags back; what people set, accepted or rejected stays.")
    .argument('<run>', "the run's id")
    .action((id: string) => revert(id, context));
}

async function revert(id: string, context: CommandContext): Promise<void> {
  const config = { ...parseConfig(context.environment), bundleFolder: context.bundle };
  const closers = new Closers();
  const progress = new Progress(context);
  try {
    const logger = createLogger({ level: 'silent' });
    const services = await openServices(config, { closers, logger });
    const { database } = services;
    const run = await findTagRun(database.pool, id);
    if (run === null) {
      const message = `There is no tag run "${id.slice(0, 100)}": bin/sharelock tags runs lists them.`;
      throw new PlatformError('NOT_FOUND', message);
    }
    const now = new Date();
    const asker = { createdBy: COMMAND_LINE, idempotencyKey: null, now };
    const job = await startRevert(database, run, asker);
    const entry = { actor: COMMAND_LINE, action: 'tags revert', subject: run.id };
    await recordAudit(database.pool, { ...entry, detail: { job: job.id }, now });
    const { signal } = context;
    await workOnJob(job.id, services, { progress, signal, label: 'reverting' });
    context.out(`The run's ${run.tagCount} tags are gone.\n`);
  } finally {
    progress.stop();
    await closers.close();
  }
}
