import type { Command } from 'commander';
import { parseConfig } from '../../api/config.ts';
import { createLoaders } from '../../api/loaders/create-loaders.ts';
import { ModelLists } from '../../api/loaders/model-lists.ts';
import { encodeNodeId } from '../../api/node-ids.ts';
import { CollectionIndexes } from '../../api/search/collection-indexes.ts';
import { SearchService, type SearchResult } from '../../api/search/search-service.ts';
import { findSearched } from '../../api/search/searched-collection.ts';
import { TextModels } from '../../api/search/text-models.ts';
import { snapshotFolder } from '../../indexer/vector-index/snapshot-files.ts';
import { Bundle } from '../../models/bundle.ts';
import { BundleCatalog } from '../../models/bundle-catalog.ts';
import { LoadedModels } from '../../models/loaded-models.ts';
import { Closers } from '../../platform/closers.ts';
import { PlatformError } from '../../platform/errors.ts';
import { createLogger } from '../../platform/logger.ts';
import { ChangeListener } from '../../store/change-listener.ts';
import { getCollection } from '../../store/collections.ts';
import type { Database } from '../../store/database.ts';
import { wholeNumber } from '../options.ts';
import type { CommandContext } from '../program.ts';
import { formatTable } from '../table.ts';
import { withDatabase } from '../with-database.ts';

interface SearchFlags {
  readonly collection: string;
  readonly first: number;
  readonly exact?: boolean;
  readonly json?: true;
}

const MOST = 10_000;

export function addSearchCommand(program: Command, context: CommandContext): void {
  program
    .command('search')
    .description(
      'Find the images nearest to a description. Works with and without a running server.',
    )
    .argument('<text>', 'what the pictures show')
    .requiredOption('--collection <name>', 'where to look')
    .option('--first <n>', 'how many', wholeNumber, 10)
    .option('--exact', 'compare with every image')
    .option('--json', 'print JSON: path, tookMs, images [{ rank, score, id, path, … }]')
    .action((text: string, flags: SearchFlags) => runSearch(text, flags, context));
}

function runSearch(text: string, flags: SearchFlags, context: CommandContext): Promise<void> {
  if (flags.first > MOST) {
    throw new PlatformError('BAD_USER_INPUT', `--first takes at most ${MOST}.`);
  }
  return withDatabase(context, async (database) => {
    const closers = new Closers();
    try {
      const result = await search(text, flags, { database, closers, context });
      if (flags.json) context.out(`${JSON.stringify(describe(result))}\n`);
      else print(result, context);
    } finally {
      await closers.close();
    }
  });
}

interface Parts {
  readonly database: Database;
  readonly closers: Closers;
  readonly context: CommandContext;
}

async function search(
  text: string,
  { collection: name, first, exact = false }: SearchFlags,
  { database, closers, context }: Parts,
): Promise<SearchResult> {
  const { dataFolder, bundlesFolder, engine } = parseConfig(context.environment);
  const logger = createLogger({ level: 'silent' });
  const collection = await getCollection(database.prisma, name);
  const main = await Bundle.open(context.bundle);
  const catalog = await BundleCatalog.open({ main, folder: bundlesFolder, logger });
  const { prisma } = database;
  const loaders = createLoaders(database, new ModelLists({ prisma, catalog, logger }));
  const searched = await findSearched({ loaders }, collection);
  const models = new LoadedModels(catalog, { textSessions: 1 });
  closers.add(() => models.close());
  const textModels = new TextModels({
    find: (fingerprint) => models.findText(fingerprint),
    parallel: 1,
  });
  const listener = new ChangeListener({ createClient: () => database.createClient(), logger });
  closers.add(() => listener.close());
  const folder = snapshotFolder(dataFolder);
  const indexes = new CollectionIndexes({ database, listener, engine, folder, logger });
  closers.add(() => indexes.close());
  const service = new SearchService({ database, indexes, textModels });
  return service.search({
    ...searched,
    ...{ first, exact, collectionId: collection.id, signal: context.signal, filter: {} },
    ...{ after: null, without: null, encodedMs: 0, terms: [{ kind: 'text', text, weight: 1 }] },
    loadImages: async (ids) =>
      (await loaders.image.loadMany(ids)).map((row) => (row instanceof Error ? null : row)),
  });
}

function describe({ path, tookMs, edges }: SearchResult) {
  const images = edges.map(({ rank, score, node }) => {
    const { width, height, bytes, format, takenAt, metadata } = node;
    const sha256 = Buffer.from(node.sha256).toString('hex');
    return {
      ...{ rank, score, id: encodeNodeId('Image', node.id), path: node.path, sha256 },
      ...{ width, height, bytes, format, takenAt, metadata },
    };
  });
  return { path, tookMs, images };
}

function print({ edges, path, tookMs }: SearchResult, { out, err }: CommandContext): void {
  const rows = edges.map(({ rank, score, node }) => [node.path, String(rank), score.toFixed(4)]);
  out(formatTable([['image', 'rank', 'cosine'], ...rows]));
  err(`${path}, ${tookMs.total.toFixed(0)} ms\n`);
}
