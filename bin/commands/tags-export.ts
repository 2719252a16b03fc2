import { InvalidArgumentError, Option, type Command } from 'commander';
import { resolve } from 'node:path';
import { parseConfig } from '../../indexer/config.ts';
import { SIDECAR_NAMINGS, type SidecarNaming } from '../../indexer/tagging/export/sidecar-file.ts';
import { writeCsv, writeJsonLines } from '../../indexer/tagging/export/tag-rows.ts';
import {
  readTaggedImages,
  type ExportRequest,
} from '../../indexer/tagging/export/tagged-images.ts';
import { writeSidecars } from '../../indexer/tagging/export/write-sidecars.ts';
import { PlatformError } from '../../platform/errors.ts';
import { writeWhole } from '../../platform/write-whole.ts';
import { recordAudit } from '../../store/audit.ts';
import { getCollection, type CollectionRecord } from '../../store/collections.ts';
import type { Database } from '../../store/database.ts';
import { listSources } from '../../store/sources.ts';
import { getVocabulary } from '../../store/vocabularies.ts';
import type { CommandContext } from '../program.ts';
import { COMMAND_LINE, withDatabase } from '../with-database.ts';

interface ExportFlags {
  readonly collection: string;
  readonly vocabulary?: string;
  readonly format: 'csv' | 'jsonl' | 'xmp';
  readonly out?: string;
  readonly minProbability: number;
  readonly state: 'accepted' | 'all';
  readonly naming: SidecarNaming;
  readonly dryRun?: true;
}

export function addExportCommand(tags: Command, context: CommandContext): void {
  const format = new Option('--format <format>', 'a row a tag, or a sidecar beside each photo');
  const state = new Option('--state <state>', 'only tags people accepted or set, or all');
  const naming = new Option('--naming <naming>', 'of new sidecars: photo.jpg.xmp or photo.xmp');
  tags
    .command('export')
    .description('Write tags as CSV, JSON lines, or XMP sidecars beside the photos.')
    .requiredOption('--collection <name>', 'the collection')
    .option('--vocabulary <name>', 'only tags of this vocabulary')
    .addOption(format.choices(['csv', 'jsonl', 'xmp']).default('csv'))
    .option('--out <file>', 'where to write rows (default: stdout)')
    .option('--min-probability <p>', "leave out runs' tags below it", fraction, 0)
    .addOption(state.choices(['accepted', 'all']).default('all'))
    .addOption(naming.choices(SIDECAR_NAMINGS).default('full'))
    .option('--dry-run', 'count what sidecars would be written')
    .action((flags: ExportFlags) => exportTags(flags, context));
}

function fraction(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value <= 1) return value;
  throw new InvalidArgumentError('It must be a number from 0 to 1.');
}

function exportTags(flags: ExportFlags, context: CommandContext): Promise<void> {
  const isXmp = flags.format === 'xmp';
  if (isXmp && flags.out !== undefined) {
    throw bad('Sidecars lie beside their photos: leave --out away, or choose csv or jsonl.');
  }
  if (!isXmp && flags.dryRun) throw bad('--dry-run is for --format xmp.');
  if (isXmp) checkAllowed(flags, context);
  return withDatabase(context, async (database) => {
    const collection = await getCollection(database.prisma, flags.collection);
    if (flags.vocabulary !== undefined) await getVocabulary(database.pool, flags.vocabulary);
    const request: ExportRequest = {
      ...{ collectionId: collection.id, vocabulary: flags.vocabulary ?? null },
      ...{ minProbability: flags.minProbability, onlyAccepted: flags.state === 'accepted' },
      signal: context.signal,
    };
    if (isXmp) await exportSidecars(database, collection, { request, flags, context });
    else await exportRows(database, { request, flags, context });
  });
}

/** Files among people's photos are written only where the operator said so. */
function checkAllowed({ dryRun }: ExportFlags, { environment }: CommandContext): void {
  if (dryRun || parseConfig(environment).writesSidecars) return;
  const message =
    'Sidecars are not to be written here: set XMP_SIDECARS=on, or look with --dry-run what would be.';
  throw new PlatformError('FORBIDDEN', message);
}

interface Export {
  readonly request: ExportRequest;
  readonly flags: ExportFlags;
  readonly context: CommandContext;
}

async function exportRows(
  { pool }: Database,
  { request, flags: { format, out }, context }: Export,
): Promise<void> {
  const pages = readTaggedImages(pool, request);
  const texts = format === 'csv' ? writeCsv(pages) : writeJsonLines(pages);
  if (out !== undefined) await writeWhole(resolve(out), texts);
  else for await (const text of texts) context.out(text);
}

async function exportSidecars(
  { pool, prisma }: Database,
  { id, name }: CollectionRecord,
  { request, flags: { naming, ...flags }, context }: Export,
): Promise<void> {
  const dryRun = flags.dryRun ?? false;
  const { mediaRoots } = parseConfig(context.environment);
  const sources = await listSources(prisma, id);
  const counts = await writeSidecars(pool, {
    ...{ ...request, naming, dryRun, sources, mediaRoots },
    onSkipped: (path, reason) => {
      context.err(`Left out ${JSON.stringify(path)}: ${reason}\n`);
    },
  });
  const entry = { actor: COMMAND_LINE, action: 'tags export', subject: id, now: new Date() };
  if (!dryRun) await recordAudit(pool, { ...entry, detail: { ...counts } });
  const { written, unchanged, skipped } = counts;
  const verb = dryRun ? 'would be written' : 'written';
  context.out(
    `${name}: ${written} sidecars ${verb}, ${unchanged} unchanged, ${skipped} left out.\n`,
  );
}

function bad(message: string): PlatformError {
  return new PlatformError('BAD_USER_INPUT', message);
}
