import { Option, type Command } from 'commander';
import { PlatformError } from '../../platform/errors.ts';
import { recordAudit } from '../../store/audit.ts';
import { getCollection, listCollections, type CollectionRecord } from '../../store/collections.ts';
import type { PrismaClient } from '../../store/database.ts';
import type { SourceSchedule } from '../../store/source-schedule.ts';
import {
  listSources,
  listSourcesOf,
  updateSource,
  type SourceRecord,
} from '../../store/sources.ts';
import { duration } from '../options.ts';
import type { CommandContext } from '../program.ts';
import { formatTable } from '../table.ts';
import { COMMAND_LINE, withDatabase } from '../with-database.ts';

interface ListFlags {
  readonly collection?: string;
  readonly json?: true;
}

interface SetFlags {
  /** Seconds. */
  readonly rescanEvery?: number | 'off';
  readonly watch?: boolean;
  readonly settle?: number;
  readonly prune?: boolean;
  readonly json?: true;
}

export function addSourceCommands(program: Command, context: CommandContext): void {
  program
    .command('sources')
    .description(
      'List sources with their folders, how they are kept up with, and their last scans.',
    )
    .option('--collection <name>', 'only of this collection')
    .option('--json', 'print JSON')
    .action((flags: ListFlags) => printSources(flags, context));
  const source = program.command('source').description('Change how a source is kept up with.');
  source
    .command('set')
    .description('Change what is given; a running server takes it up within seconds.')
    .argument('<collection/name>', 'as `sources` shows it')
    .addOption(
      new Option('--rescan-every <time>', 'scan it so often: 15m, 2h, 1d, …; or off').argParser(
        (text: string) => (text === 'off' ? text : duration(text)),
      ),
    )
    .option('--watch', 'scan it whenever something changes in its folder')
    .option('--no-watch', "don't")
    .option('--settle <time>', 'how long a file must have been left alone, 0 to 1h', duration)
    .option('--prune', 'such scans remove images whose files are gone')
    .option('--no-prune', "they don't")
    .option('--json', 'print JSON')
    .action((path: string, flags: SetFlags) => setSource(path, flags, context));
}

function printSources({ collection, json }: ListFlags, context: CommandContext): Promise<void> {
  return withDatabase(context, async ({ prisma }) => {
    const collections = await findCollections(prisma, collection);
    const names = new Map(collections.map(({ id, name }) => [id, name]));
    const sources = (await listSourcesOf(prisma, [...names.keys()]))
      .map((source) => describe(source, names.get(source.collectionId) ?? ''))
      .sort((a, b) => a.collection.localeCompare(b.collection));
    if (json) context.out(`${JSON.stringify(sources)}\n`);
    else if (sources.length > 0) context.out(tableOf(sources));
    else context.err('There are none: bin/sharelock index FOLDER --collection NAME adds one.\n');
  });
}

const ALL = 1_000_000;

async function findCollections(
  prisma: PrismaClient,
  name: string | undefined,
): Promise<readonly CollectionRecord[]> {
  if (name !== undefined) return [await getCollection(prisma, name)];
  return listCollections(prisma, { after: null, limit: ALL, among: null });
}

type Described = ReturnType<typeof describe>;

function describe({ name, folder, lastScannedAt, ...schedule }: SourceRecord, collection: string) {
  const { rescanEverySeconds, watches: watch, settleSeconds, prunes: prune } = schedule;
  return {
    ...{ collection, name, folder, rescanEverySeconds, watch, settleSeconds, prune },
    lastScannedAt,
  };
}

function tableOf(sources: readonly Described[]): string {
  const rows = sources.map((source) => [
    ...[`${source.collection}/${source.name}`, scheduleOf(source)],
    ...[source.lastScannedAt?.toISOString().slice(0, 19) ?? 'never', source.folder],
  ]);
  return formatTable([['source', 'kept up with', 'last scan (UTC)', 'folder'], ...rows]);
}

/** `every 15m, watched, settles 5s, prunes`. */
function scheduleOf({ rescanEverySeconds, watch, settleSeconds, prune }: Described): string {
  if (rescanEverySeconds === null && !watch) return 'when asked';
  return [
    ...(rescanEverySeconds === null ? [] : [`every ${timeOf(rescanEverySeconds)}`]),
    ...(watch ? ['watched'] : []),
    `settles ${timeOf(settleSeconds)}`,
    ...(prune ? ['prunes'] : []),
  ].join(', ');
}

function timeOf(seconds: number): string {
  const units = [
    ['d', 86_400],
    ['h', 3600],
    ['m', 60],
  ] as const;
  const [name, size] = units.find(([, one]) => seconds > 0 && seconds % one === 0) ?? ['s', 1];
  return `${seconds / size}${name}`;
}

function setSource(path: string, flags: SetFlags, context: CommandContext): Promise<void> {
  const changes = changesOf(flags);
  if (Object.keys(changes).length === 0) {
    const options = '--rescan-every, --watch, --settle or --prune';
    throw new PlatformError('BAD_USER_INPUT', `Say what to change: ${options}.`);
  }
  return withDatabase(context, async ({ prisma, pool }) => {
    const [collection, { id }] = await getSource(prisma, path);
    const source = describe(await updateSource(prisma, id, changes), collection.name);
    await recordAudit(pool, {
      ...{ actor: COMMAND_LINE, action: 'source set', subject: path, detail: { ...changes } },
      now: new Date(),
    });
    if (flags.json) context.out(`${JSON.stringify(source)}\n`);
    else context.err(`${path}: ${scheduleOf(source)}.\n`);
  });
}

function changesOf({ rescanEvery, watch, settle, prune }: SetFlags): Partial<SourceSchedule> {
  const rescanEverySeconds = rescanEvery === 'off' ? null : rescanEvery;
  return {
    ...(rescanEverySeconds === undefined ? {} : { rescanEverySeconds }),
    ...(watch === undefined ? {} : { watches: watch }),
    ...(settle === undefined ? {} : { settleSeconds: settle }),
    ...(prune === undefined ? {} : { prunes: prune }),
  };
}

async function getSource(
  prisma: PrismaClient,
  path: string,
): Promise<readonly [CollectionRecord, SourceRecord]> {
  const slash = path.indexOf('/'); // neither name may have one
  if (slash < 0) throw new PlatformError('BAD_USER_INPUT', 'Name it COLLECTION/SOURCE.');
  const collection = await getCollection(prisma, path.slice(0, slash));
  const sources = await listSources(prisma, collection.id);
  const source = sources.find(({ name }) => name === path.slice(slash + 1));
  if (source) return [collection, source];
  const names = sources.map(({ name }) => name).join(', ') || 'none';
  throw new PlatformError(
    'NOT_FOUND',
    `There is no source "${path}": ${collection.name} has ${names}.`,
  );
}
