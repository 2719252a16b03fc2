import type { Command } from 'commander';
import { countImagesOf, findSourcesOf } from '../../store/collection-summaries.ts';
import { listCollections } from '../../store/collections.ts';
import type { CommandContext } from '../program.ts';
import { formatTable } from '../table.ts';
import { withDatabase } from '../with-database.ts';

const ALL = 1_000_000;

export function addCollectionsCommand(program: Command, context: CommandContext): void {
  program
    .command('collections')
    .description('List collections with their images and sources.')
    .option('--json', 'print JSON')
    .action((flags: { readonly json?: true }) => printCollections(flags, context));
}

function printCollections(
  { json }: { readonly json?: true },
  context: CommandContext,
): Promise<void> {
  return withDatabase(context, async ({ prisma, pool }) => {
    const found = await listCollections(prisma, { after: null, limit: ALL, among: null });
    const ids = found.map(({ id }) => id);
    const [counts, sources] = await Promise.all([
      countImagesOf(pool, ids),
      findSourcesOf(prisma, ids),
    ]);
    const collections = found.map(({ id, name, description }) => ({
      ...{ name, description, images: counts.get(id) ?? 0 },
      sources: (sources.get(id) ?? []).map((source) => ({
        ...{ name: source.name, folder: source.folder, lastScannedAt: source.lastScannedAt },
      })),
    }));
    if (json) {
      context.out(`${JSON.stringify(collections)}\n`);
      return;
    }
    if (collections.length === 0) {
      context.err('There are none: bin/sharelock index FOLDER --collection NAME makes one.\n');
      return;
    }
    const rows = collections.map((one) => [
      ...[one.name, String(one.images)],
      one.sources.map(({ folder }) => folder).join(', '),
    ]);
    context.out(formatTable([['collection', 'images', 'sources'], ...rows]));
  });
}
