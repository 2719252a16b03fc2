import { InvalidArgumentError, Option, type Command } from 'commander';
import { registerBundle } from '../../indexer/collections.ts';
import { parseConfig } from '../../indexer/config.ts';
import { startReindex } from '../../indexer/reindex/start-reindex.ts';
import type { Canary } from '../../indexer/reindex/canaries.ts';
import { openServices } from '../../indexer/services.ts';
import { Closers } from '../../platform/closers.ts';
import { PlatformError } from '../../platform/errors.ts';
import { createLogger } from '../../platform/logger.ts';
import { getCollection } from '../../store/collections.ts';
import type { Database } from '../../store/database.ts';
import { listGenerations } from '../../store/generations.ts';
import type { CollectionId } from '../../store/ids.ts';
import { countItems } from '../../store/job-progress.ts';
import { recordAudit } from '../../store/audit.ts';
import { reportJob } from '../job-report.ts';
import type { CommandContext } from '../program.ts';
import { Progress } from '../progress.ts';
import { COMMAND_LINE } from '../with-database.ts';
import { workOnJob } from '../work-on-job.ts';

interface ReindexFlags {
  readonly collection: string;
  readonly visionSpace?: string;
  readonly scope: 'ALL' | 'FAILED';
  readonly canary: readonly string[];
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

export function addReindexCommand(program: Command, context: CommandContext): void {
  program
    .command('reindex')
    .description(
      "Embed a collection's images again, into another vision space beside the live one.",
    )
    .requiredOption('--collection <name>', 'the collection')
    .option('--vision-space <v>', 'name or fingerprint (default: the live one, in place)')
    .addOption(
      new Option('--scope <scope>', 'all images, or those failed: without an embedding there')
        .default('ALL', 'all')
        .argParser(parseScope),
    )
    .option(
      '--canary <text>',
      'a query whose ten best must overlap with the live ones; may be given again',
      (text: string, before: readonly string[]) => [...before, text],
      [] as readonly string[],
    )
    .option('--dry-run', 'only say what there is to do')
    .option('--json', 'print JSON: job, plan, result, outcomes')
    .addHelpText('after', '\nThen: bin/sharelock promote --collection NAME makes it live.')
    .action((flags: ReindexFlags) => reindex(flags, context));
}

function parseScope(text: string): ReindexFlags['scope'] {
  const scope = (['ALL', 'FAILED'] as const).find((one) => one === text.toUpperCase());
  if (scope !== undefined) return scope;
  throw new InvalidArgumentError('It must be all or failed.');
}

async function reindex(flags: ReindexFlags, context: CommandContext): Promise<void> {
  const config = { ...parseConfig(context.environment), bundleFolder: context.bundle };
  const closers = new Closers();
  const progress = new Progress(context);
  try {
    const logger = createLogger({ level: 'silent' });
    const services = await openServices(config, { closers, logger });
    const { database } = services;
    for (const bundle of await services.models.bundles()) await registerBundle(database, bundle);
    const collection = await getCollection(database.prisma, flags.collection);
    const now = new Date();
    const job = await startReindex(services, {
      ...{ collectionId: collection.id, visionSpace: flags.visionSpace ?? null, now },
      ...{ scope: flags.scope, imageIds: null, canaries: flags.canary.map(toCanary) },
      ...{ dryRun: flags.dryRun ?? false, createdBy: COMMAND_LINE, idempotencyKey: null },
    });
    const detail = { job: job.id, visionSpace: flags.visionSpace ?? null };
    const entry = { actor: COMMAND_LINE, action: 'reindex', subject: collection.name };
    await recordAudit(database.pool, { ...entry, detail, now });
    const { signal, out } = context;
    const ended = await workOnJob(job.id, services, { progress, signal, label: 'embedding' });
    await reportJob(services, ended, { json: flags.json, out });
    const { failed } = await countItems(database.pool, job.id);
    if (failed > 0) {
      const message = `${failed} items failed, the checks included: bin/sharelock generations --collection "${flags.collection}" says what they found.`;
      throw new PlatformError('CONFLICT', message);
    }
    if (!flags.dryRun) context.err(await nextStep(database, collection.id, flags));
  } finally {
    progress.stop();
    await closers.close();
  }
}

function toCanary(text: string): Canary {
  return { text, imageIds: null, within: 10, atLeast: 1 };
}

async function nextStep(
  { prisma }: Database,
  collectionId: CollectionId,
  { collection }: ReindexFlags,
): Promise<string> {
  const generations = await listGenerations(prisma, collectionId);
  if (generations[0]?.state === 'LIVE') return 'The live generation has the new vectors.\n';
  return `Its checks: bin/sharelock generations --collection "${collection}"; to make it live: bin/sharelock promote --collection "${collection}"\n`;
}
