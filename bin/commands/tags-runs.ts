import type { Command } from 'commander';
import { getCollection } from '../../store/collections.ts';
import { listTagRuns, type TagRunRecord } from '../../store/tag-runs.ts';
import { findVocabulariesByIds, getVocabulary } from '../../store/vocabularies.ts';
import type { CommandContext } from '../program.ts';
import { formatTable } from '../table.ts';
import { withDatabase } from '../with-database.ts';

interface RunsFlags {
  readonly collection: string;
  readonly vocabulary?: string;
  readonly json?: true;
}

const NEWEST = 50;

export function addRunsCommand(tags: Command, context: CommandContext): void {
  tags
    .command('runs')
    .description('List the 50 newest tag runs of a collection.')
    .requiredOption('--collection <name>', 'the collection')
    .option('--vocabulary <name>', 'only of this vocabulary')
    .option('--json', 'print JSON')
    .action((flags: RunsFlags) => listRuns(flags, context));
}

function listRuns(
  { collection, vocabulary, json }: RunsFlags,
  { out, ...context }: CommandContext,
): Promise<void> {
  return withDatabase({ out, ...context }, async ({ prisma, pool }) => {
    const { id: collectionId } = await getCollection(prisma, collection);
    const named = vocabulary === undefined ? null : await getVocabulary(pool, vocabulary);
    const filter = { collectionId, vocabularyId: named?.id ?? null };
    const runs = await listTagRuns(pool, filter, { after: null, limit: NEWEST });
    const ids = [...new Set(runs.map(({ vocabularyId }) => vocabularyId))];
    const names = new Map(
      (await findVocabulariesByIds(pool, ids)).map(({ id, name }) => [id, name]),
    );
    const rows = runs.map((run) => ({
      ...{ id: run.id, state: wordOf(run), vocabulary: names.get(run.vocabularyId) ?? '' },
      ...{ version: run.version, images: run.imageCount, tagged: run.taggedCount },
      ...{ tags: run.tagCount, createdAt: run.createdAt, createdBy: run.createdBy },
    }));
    if (json) out(`${JSON.stringify(rows)}\n`);
    else out(formatTable([HEAD, ...rows.map(toCells)]));
  });
}

const HEAD = ['run', 'state', 'vocabulary', 'images', 'tags', 'begun'];

interface Row {
  readonly id: string;
  readonly state: string;
  readonly vocabulary: string;
  readonly version: number;
  readonly images: number;
  readonly tags: number;
  readonly createdAt: Date;
}

function toCells({ id, state, vocabulary, version, images, tags, createdAt }: Row): string[] {
  const began = createdAt.toISOString().slice(0, 16).replace('T', ' ');
  return [id, state, `${vocabulary} ${version}`, String(images), String(tags), began];
}

/** As people would say it. */
function wordOf({ state, isAbandoned, supersededById }: TagRunRecord): string {
  if (isAbandoned) return 'abandoned';
  if (state === 'APPLIED') return supersededById === null ? 'applied' : 'superseded';
  return state === 'BUILDING' ? 'running' : 'reverted';
}
