import { readFile, writeFile } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { text as readStream } from 'node:stream/consumers';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { encodeNodeId, idOf } from '../../api/node-ids.ts';
import { putBuiltIns } from '../../indexer/tagging/built-in.ts';
import {
  FORMATS,
  type VocabularyFormat,
} from '../../indexer/tagging/vocabulary-formats/formats.ts';
import { checkDescription, checkVocabularyName } from '../../indexer/tagging/vocabulary-input.ts';
import {
  checkedVersion,
  readWritten,
  toNewLabels,
  type ImageNames,
} from '../../indexer/tagging/written-vocabulary.ts';
import { messageOf, PlatformError } from '../../platform/errors.ts';
import { recordAudit } from '../../store/audit.ts';
import type { Database } from '../../store/database.ts';
import { asImageId } from '../../store/ids.ts';
import { findImagesByIds } from '../../store/images.ts';
import { putVocabulary } from '../../store/put-vocabulary.ts';
import { findNewestVersions, getVocabulary, listVocabularies } from '../../store/vocabularies.ts';
import { readLabels } from '../../store/vocabulary-labels.ts';
import { wholeNumber } from '../options.ts';
import type { CommandContext } from '../program.ts';
import { formatTable } from '../table.ts';
import { COMMAND_LINE, withDatabase } from '../with-database.ts';

interface JsonFlag {
  readonly json?: true;
}

interface ImportFlags extends JsonFlag {
  readonly name?: string;
  readonly format?: VocabularyFormat;
}

interface ExportFlags {
  readonly format: VocabularyFormat | undefined;
  readonly version?: number;
  readonly out?: string;
}

export function addVocabularyCommand(program: Command, context: CommandContext): void {
  const vocabulary = program
    .command('vocabulary')
    .description('Show and change the vocabularies that images are tagged with.');
  vocabulary
    .command('list')
    .description('List vocabularies with their versions and labels.')
    .option('--json', 'print JSON')
    .action((flags: JsonFlag) => printVocabularies(flags, context));
  vocabulary
    .command('show')
    .description("List a vocabulary's labels.")
    .argument('<name>', "the vocabulary's name")
    .option('--json', 'print JSON')
    .action((name: string, flags: JsonFlag) => printLabels(name, flags, context));
  vocabulary
    .command('import')
    .description('Make a vocabulary, or a new version of one, from a file.')
    .argument('<file>', 'a file (csv, txt: a name a line, json, jsonld); "-" reads standard input')
    .option('--name <name>', "the vocabulary's name; else the one in the file, or the file's")
    .addOption(formatOption('what the file is; else its ending says it'))
    .option('--json', 'print JSON')
    .action((file: string, flags: ImportFlags) => importFile(file, flags, context));
  vocabulary
    .command('export')
    .description('Write a vocabulary as a file that `import` takes.')
    .argument('<name>', "the vocabulary's name")
    .addOption(formatOption("how to write it; else the ending of --out says it, or it's csv"))
    .option('--version <number>', 'another version than the newest', wholeNumber)
    .option('--out <file>', 'write it there, not to stdout')
    .action((name: string, flags: ExportFlags) => exportFile(name, flags, context));
}

function formatOption(description: string): Option {
  return new Option('--format <format>', `${description} (csv, json, skos)`).argParser((text) => {
    const format = (['CSV', 'JSON', 'SKOS'] as const).find((one) => one === text.toUpperCase());
    if (format !== undefined) return format;
    throw new InvalidArgumentError('It is csv, json or skos.');
  });
}

const ALL = 1_000_000;

function withVocabularies<T>(
  context: CommandContext,
  run: (database: Database) => Promise<T>,
): Promise<T> {
  return withDatabase(context, async (database) => {
    await putBuiltIns(database.pool, new Date());
    return run(database);
  });
}

function printVocabularies({ json }: JsonFlag, context: CommandContext): Promise<void> {
  return withVocabularies(context, async ({ pool }) => {
    const found = await listVocabularies(pool, { after: null, limit: ALL });
    const versions = await findNewestVersions(
      pool,
      found.map(({ id }) => id),
    );
    const vocabularies = found.map(({ id, name, description, version, changedAt }) => {
      const labels = versions.get(id)?.labelCount ?? 0;
      return { name, description, version, labels, changedAt };
    });
    if (json) {
      context.out(`${JSON.stringify(vocabularies)}\n`);
      return;
    }
    const rows = vocabularies.map(({ name, version, labels, changedAt }) => [
      ...[name, String(version), String(labels), changedAt.toISOString().slice(0, 19)],
    ]);
    context.out(formatTable([['vocabulary', 'version', 'labels', 'changed (UTC)'], ...rows]));
  });
}

function printLabels(name: string, { json }: JsonFlag, context: CommandContext): Promise<void> {
  return withVocabularies(context, async ({ pool }) => {
    const { id: vocabularyId, version } = await getVocabulary(pool, name);
    const labels = await readLabels(pool, { vocabularyId, version });
    const names = new Map(labels.map((label) => [label.id, label.name]));
    const described = labels.map((label) => ({
      ...{ name: label.name, prompts: label.prompts, negativePrompts: label.negativePrompts },
      ...{ examples: label.exampleImageIds.length, threshold: label.threshold },
      parents: label.parentIds.map((parent) => names.get(parent) ?? ''),
    }));
    if (json) {
      context.out(`${JSON.stringify({ name, version, labels: described })}\n`);
      return;
    }
    const rows = described.map(({ name: label, parents, threshold, prompts }) => [
      ...[label, parents.join(', '), threshold === null ? '' : String(threshold)],
      prompts.join(' | '),
    ]);
    context.out(formatTable([['label', 'parents', 'threshold', 'prompts'], ...rows]));
  });
}

function importFile(file: string, flags: ImportFlags, context: CommandContext): Promise<void> {
  return withVocabularies(context, async (database) => {
    const { pool } = database;
    const written = FORMATS[flags.format ?? formatOf(file)].read(await readContent(file));
    const name = checkVocabularyName(flags.name ?? written.name ?? basename(file, extname(file)));
    const { vocabulary, changed } = await putVocabulary(pool, {
      ...{ name, description: checkDescription(written.description), ifVersion: null },
      labels: await toNewLabels(written.labels, allImages(database)),
      ...{ createdBy: COMMAND_LINE, now: new Date() },
    });
    const { version } = vocabulary;
    const labels = written.labels.length;
    await recordAudit(pool, {
      ...{ actor: COMMAND_LINE, action: 'vocabulary import', subject: name },
      ...{ detail: { version, labels, changed }, now: new Date() },
    });
    if (flags.json) context.out(`${JSON.stringify({ name, version, labels, changed })}\n`);
    else if (changed) context.err(`${name} has version ${version} now, of ${labels} labels.\n`);
    else context.err(`${name} has these labels already, in version ${version}.\n`);
  });
}

function exportFile(name: string, flags: ExportFlags, context: CommandContext): Promise<void> {
  return withVocabularies(context, async (database) => {
    const { out, version = null } = flags;
    const vocabulary = await getVocabulary(database.pool, name);
    const checked = checkedVersion(vocabulary, version);
    const images = allImages(database);
    const written = await readWritten(database.pool, vocabulary, checked, images);
    const format = flags.format ?? (out === undefined ? 'CSV' : formatOf(out));
    const content = FORMATS[format].write(written);
    if (out === undefined) context.out(content);
    else {
      await writeFile(out, content).catch((cause: unknown) => {
        const message = `${out} can't be written: ${messageOf(cause)}`;
        throw new PlatformError('BAD_USER_INPUT', message, { cause });
      });
      context.err(`${out}: ${written.labels.length} labels of version ${checked}.\n`);
    }
  });
}

const ENDINGS: Readonly<Record<string, VocabularyFormat>> = {
  '.csv': 'CSV',
  '.tsv': 'CSV',
  '.txt': 'CSV',
  '.json': 'JSON',
  '.jsonld': 'SKOS',
  '.skos': 'SKOS',
};

function formatOf(file: string): VocabularyFormat {
  const format = ENDINGS[extname(file).toLowerCase()];
  if (format !== undefined) return format;
  const message = `The ending of ${file} doesn't say what it is: give --format csv, json or skos.`;
  throw new PlatformError('BAD_USER_INPUT', message);
}

async function readContent(file: string): Promise<string> {
  try {
    return file === '-' ? await readStream(process.stdin) : await readFile(file, 'utf8');
  } catch (cause) {
    const message = `${file} can't be read: ${messageOf(cause)}`;
    throw new PlatformError('BAD_USER_INPUT', message, { cause });
  }
}

/** Whoever has the command line sees every image. */
function allImages({ pool }: Database): ImageNames {
  return {
    find: async (name) => {
      const id = idOf('Image', name);
      const [image] = id === null ? [] : await findImagesByIds(pool, [asImageId(id)]);
      return image?.id ?? null;
    },
    nameOf: (id) => Promise.resolve(encodeNodeId('Image', id)),
  };
}
