import { writeFile } from 'node:fs/promises';
import { Option, type Command } from 'commander';
import { reportCsv } from '../../indexer/tagging/report-csv.ts';
import { range, reportPage, type ReportTitle } from '../../indexer/tagging/report-page.ts';
import { reportTags, type TagReportRecord } from '../../indexer/tagging/report.ts';
import { messageOf, PlatformError } from '../../platform/errors.ts';
import { getCollection } from '../../store/collections.ts';
import type { Database } from '../../store/database.ts';
import { listTextModels } from '../../store/model-registry.ts';
import { findVocabulariesByIds, getVocabulary } from '../../store/vocabularies.ts';
import type { CommandContext } from '../program.ts';
import { formatTable } from '../table.ts';
import { withDatabase } from '../with-database.ts';

const FORMATS = ['text', 'json', 'csv', 'html'] as const;

interface ReportFlags {
  readonly collection: string;
  readonly vocabulary?: string;
  readonly format: (typeof FORMATS)[number];
  readonly out?: string;
}

export function addReportCommand(program: Command, context: CommandContext): void {
  program
    .command('report')
    .description("Say how far a collection's tags can be trusted, by what people said of them.")
    .requiredOption('--collection <name>', 'the collection')
    .option('--vocabulary <name>', 'the vocabulary (default: that of the newest run)')
    .addOption(new Option('--format <format>', 'how').choices(FORMATS).default('text'))
    .option('--out <file>', 'write it to a file')
    .action((flags: ReportFlags) => report(flags, context));
}

function report(flags: ReportFlags, context: CommandContext): Promise<void> {
  return withDatabase(context, async (database) => {
    const collection = await getCollection(database.prisma, flags.collection);
    const vocabulary =
      flags.vocabulary === undefined
        ? null
        : (await getVocabulary(database.pool, flags.vocabulary)).id;
    const made = await reportTags(database.pool, collection, vocabulary);
    const title = await titleOf(database, collection.name, made);
    const text = format(made, title, flags.format);
    if (flags.out === undefined) context.out(text);
    else await write(flags.out, text, context);
  });
}

async function titleOf(
  { pool, prisma }: Database,
  collection: string,
  { tagRun }: TagReportRecord,
): Promise<ReportTitle> {
  const [vocabulary] = await findVocabulariesByIds(pool, [tagRun.vocabularyId]);
  const model = (await listTextModels(prisma)).find(({ id }) => id === tagRun.textModelId);
  const textModel = model ? `${model.name}@${model.version}` : tagRun.textModelId;
  return { collection, vocabulary: vocabulary?.name ?? '', textModel };
}

function format(report: TagReportRecord, title: ReportTitle, as: ReportFlags['format']): string {
  switch (as) {
    case 'text':
      return textOf(report, title);
    case 'json':
      return `${JSON.stringify({ ...title, ...report })}\n`;
    case 'csv':
      return reportCsv(report);
    case 'html':
      return reportPage(report, title);
  }
}

function textOf(report: TagReportRecord, title: ReportTitle): string {
  const { images, tags, precision, recall, labels, tagRun } = report;
  const rows = labels.map((one) => [
    ...[one.label, String(one.count), one.threshold.toFixed(2)],
    ...[`${one.accepted}+ ${one.rejected}-`, range(one.precision)],
    ...[one.recall ? range(one.recall) : '', one.calibrationError?.toFixed(3) ?? ''],
    one.confusedWith.map(({ label, count }) => `${label} (${count})`).join(', '),
  ]);
  const heading = ['label', 'tags', 'threshold', 'verdicts', 'precision', 'recall', 'error'];
  const sum = `${tags} tags of ${images} images with ${title.vocabulary} (version ${tagRun.version}) and ${title.textModel}; percent, with 95 % intervals`;
  const all = `precision ${range(precision)}, recall ${recall ? range(recall) : 'unknown'}`;
  return `${sum}\n${all}\n${formatTable([[...heading, 'confused with'], ...rows])}`;
}

async function write(path: string, text: string, context: CommandContext): Promise<void> {
  try {
    await writeFile(path, text);
  } catch (cause) {
    throw new PlatformError('BAD_USER_INPUT', `--out ${path}: ${messageOf(cause)}`, { cause });
  }
  context.err(`Wrote ${path}.\n`);
}
