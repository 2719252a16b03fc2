import { InvalidArgumentError, type Command } from 'commander';
import { listGenerations, type GenerationRecord } from '../../store/generations.ts';
import {
  discardGeneration,
  promoteGeneration,
  rollbackGeneration,
} from '../../store/generation-switch.ts';
import { recordAudit } from '../../store/audit.ts';
import { countIndexedOf, indexKeyName } from '../../store/changes.ts';
import { getCollection, type CollectionRecord } from '../../store/collections.ts';
import type { Database } from '../../store/database.ts';
import { listTextModels, listVisionSpaces } from '../../store/model-registry.ts';
import { PlatformError } from '../../platform/errors.ts';
import { wholeNumber } from '../options.ts';
import type { CommandContext } from '../program.ts';
import { formatTable } from '../table.ts';
import { COMMAND_LINE, withDatabase } from '../with-database.ts';

interface CollectionFlags {
  readonly collection: string;
  readonly json?: true;
}

interface GenerationFlags extends CollectionFlags {
  readonly generation?: number;
}

export function addGenerationCommands(program: Command, context: CommandContext): void {
  const collection = ['--collection <name>', 'the collection'] as const;
  const number = ['--generation <n>', "the generation's number"] as const;
  program
    .command('generations')
    .description("List a collection's generations with their checks.")
    .requiredOption(...collection)
    .option('--json', 'print JSON')
    .action((flags: CollectionFlags) => print(flags, context));
  program
    .command('promote')
    .description('Make a ready generation the live one, at once for every server.')
    .requiredOption(...collection)
    .option(number[0], `${number[1]} (default: the newest, if it is READY)`, wholeNumber)
    .action((flags: GenerationFlags) => promote(flags, context));
  program
    .command('rollback')
    .description('Make the generation live again that was live before.')
    .requiredOption(...collection)
    .action((flags: CollectionFlags) => rollback(flags, context));
  program
    .command('discard')
    .description("Give a generation up that isn't live; workers delete what it alone has.")
    .requiredOption(...collection)
    .requiredOption(...number, wholeNumber)
    .action((flags: GenerationFlags) => discard(flags, context));
}

function print({ collection, json }: CollectionFlags, context: CommandContext): Promise<void> {
  return withDatabase(context, async (database) => {
    const { id } = await getCollection(database.prisma, collection);
    const generations = await describeAll(database, await listGenerations(database.prisma, id));
    if (json) {
      context.out(`${JSON.stringify(generations)}\n`);
      return;
    }
    const rows = generations.map((one) => [
      ...[String(one.number), one.discardedAt === null ? one.state : 'discarded', one.visionSpace],
      ...[String(one.images), one.textModel ?? 'none'],
    ]);
    const heading = ['generation', 'state', 'vision space', 'images', 'text model'];
    context.out(formatTable([heading, ...rows]));
    const newest = generations.find(({ discardedAt }) => discardedAt === null);
    if (newest && newest.checks.length > 0) context.out(`Checks of generation ${newest.number}:\n`);
    for (const { name, passed, detail } of newest?.checks ?? []) {
      context.out(`${passed ? 'good  ' : 'FAILED'} ${name}: ${detail}\n`);
    }
  });
}

interface Described {
  readonly number: number;
  readonly state: string;
  readonly visionSpace: string;
  readonly images: number;
  readonly textModel: string | null;
  readonly createdAt: Date;
  readonly promotedAt: Date | null;
  readonly discardedAt: Date | null;
  readonly reclaimedAt: Date | null;
  readonly checks: readonly { name: string; passed: boolean; detail: string }[];
}

async function describeAll(
  { prisma, pool }: Database,
  generations: readonly GenerationRecord[],
): Promise<readonly Described[]> {
  const [spaces, models] = [await listVisionSpaces(prisma), await listTextModels(prisma)];
  const counts = await countIndexedOf(pool, generations.map(indexKeyName));
  return generations.map((one) => {
    const model = models.find(({ id }) => id === one.textModelId);
    const { number, state, createdAt, promotedAt, discardedAt, reclaimedAt } = one;
    return {
      ...{ number, state, createdAt, promotedAt, discardedAt, reclaimedAt },
      visionSpace: spaces.find(({ id }) => id === one.visionSpaceId)?.name ?? '',
      images: one.discardedAt === null ? (counts.get(indexKeyName(one)) ?? 0) : 0,
      textModel: model ? `${model.name}@${model.version}` : null,
      checks: Array.isArray(one.checks) ? (one.checks as Described['checks']) : [],
    };
  });
}

function promote({ collection, generation }: GenerationFlags, context: CommandContext) {
  return change('promote', collection, context, async (database, of) => {
    const chosen = await choose(database, of, generation);
    await promoteGeneration(database.pool, chosen.id, new Date());
    return chosen.number;
  });
}

async function choose(
  { prisma }: Database,
  { id, name }: CollectionRecord,
  number: number | undefined,
): Promise<GenerationRecord> {
  const all = await listGenerations(prisma, id);
  const newest = all.find(({ discardedAt }) => discardedAt === null);
  const found = number === undefined ? newest : all.find((one) => one.number === number);
  if (found && (number !== undefined || found.state === 'READY')) return found;
  const story =
    number === undefined
      ? `The newest generation of "${name}" isn't READY, and no other is promoted unnamed`
      : `The collection "${name}" has no generation ${number}`;
  const message = `${story}: bin/sharelock generations --collection "${name}" lists them.`;
  throw new PlatformError('NOT_FOUND', message);
}

function rollback({ collection }: CollectionFlags, context: CommandContext) {
  return change('rollback', collection, context, async ({ pool, prisma }, { id }) => {
    const restored = await rollbackGeneration(pool, id, new Date());
    return (await listGenerations(prisma, id)).find((one) => one.id === restored)?.number ?? 0;
  });
}

function discard({ collection, generation }: GenerationFlags, context: CommandContext) {
  if (generation === undefined) throw new InvalidArgumentError('Name a generation.');
  return change('discard', collection, context, async (database, of) => {
    const { id, number } = await choose(database, of, generation);
    await discardGeneration(database.pool, id, new Date());
    return number;
  });
}

const DONE = { promote: 'is live', rollback: 'is live again', discard: 'is given up' } as const;

function change(
  action: keyof typeof DONE,
  name: string,
  context: CommandContext,
  run: (database: Database, collection: CollectionRecord) => Promise<number>,
): Promise<void> {
  return withDatabase(context, async (database) => {
    const collection = await getCollection(database.prisma, name);
    const number = await run(database, collection);
    await recordAudit(database.pool, {
      ...{ actor: COMMAND_LINE, action, subject: collection.id, detail: { number } },
      now: new Date(),
    });
    context.out(`Generation ${number} of ${name} ${DONE[action]}.\n`);
  });
}
