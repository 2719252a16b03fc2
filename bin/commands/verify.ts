import type { Command } from 'commander';
import { parseConfig } from '../../indexer/config.ts';
import { openServices } from '../../indexer/services.ts';
import { verifyCollection, type Check } from '../../indexer/verify/verify.ts';
import { Closers } from '../../platform/closers.ts';
import { PlatformError } from '../../platform/errors.ts';
import { createLogger } from '../../platform/logger.ts';
import { getCollection, listCollections, type CollectionRecord } from '../../store/collections.ts';
import type { Database } from '../../store/database.ts';
import { wholeNumber } from '../options.ts';
import type { CommandContext } from '../program.ts';
import { formatTable } from '../table.ts';

interface VerifyFlags {
  readonly collection?: string;
  readonly sample: number;
  readonly json?: boolean;
}

/** Images of a collection that are embedded again. */
const SAMPLE = 20;

export function addVerifyCommand(program: Command, context: CommandContext): void {
  program
    .command('verify')
    .description('Check what must always be true of images, vectors, jobs and thumbnails.')
    .option('--collection <name>', 'only this collection (default: all)')
    .option('--sample <n>', 'images of each that are embedded again', wholeNumber, SAMPLE)
    .option('--json', 'print JSON: collections and their checks')
    .action((flags: VerifyFlags) => verify(flags, context));
}

interface Verified {
  readonly collection: string;
  readonly checks: readonly Check[];
}

async function verify(flags: VerifyFlags, context: CommandContext): Promise<void> {
  const config = { ...parseConfig(context.environment), bundleFolder: context.bundle };
  const closers = new Closers();
  const logger = createLogger({ level: 'warn' });
  const verified: Verified[] = [];
  try {
    const services = await openServices(config, { closers, logger });
    for (const collection of await choose(services.database, flags.collection)) {
      const { sample } = flags;
      const { signal } = context;
      const checks = await verifyCollection(services, collection, { sample, signal });
      verified.push({ collection: collection.name, checks });
    }
  } finally {
    await closers.close();
  }
  report(verified, flags.json ?? false, context);
}

/** One of this name, or all, a page at a time. */
async function choose(
  { prisma }: Database,
  name: string | undefined,
): Promise<readonly CollectionRecord[]> {
  if (name !== undefined) return [await getCollection(prisma, name)];
  const all: CollectionRecord[] = [];
  for (;;) {
    const after = all.at(-1)?.name ?? null;
    const page = await listCollections(prisma, { after, limit: 100, among: null });
    if (page.length === 0) return all;
    all.push(...page);
  }
}

function report(
  verified: readonly Verified[],
  asJson: boolean,
  { out }: Pick<CommandContext, 'out'>,
): void {
  const rows = verified.flatMap(({ collection, checks }) =>
    checks.map((check) => ({ collection, ...check })),
  );
  const count = rows.reduce((sum, { violations }) => sum + violations.length, 0);
  if (asJson) out(`${JSON.stringify({ isSound: count === 0, collections: verified }, null, 2)}\n`);
  else {
    const lines = rows.map(({ collection, name, looked, violations }) => [
      ...[`${collection}: ${name}`, String(looked)],
      violations.length === 0 ? 'good' : `${violations.length} wrong`,
    ]);
    out(formatTable([['check', 'looked at', ''], ...lines]));
    for (const { collection, violations, notes } of rows) {
      for (const line of violations) out(`WRONG ${collection}: ${line}\n`);
      for (const line of notes) out(`note ${collection}: ${line}\n`);
    }
  }
  if (count > 0) throw new PlatformError('CONFLICT', `${count} things are not as they must be.`);
}
