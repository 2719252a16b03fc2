import { resolve } from 'node:path';
import type { Command } from 'commander';
import { Bundle } from '../../models/bundle.ts';
import { narrowBundle } from '../../models/narrow-bundle.ts';
import { tryGraphs } from '../../models/sessions.ts';
import { Tokenizer } from '../../models/tokenizer.ts';
import { wholeNumber } from '../options.ts';
import type { CommandContext } from '../program.ts';
import { formatTable } from '../table.ts';

interface BundleFlags {
  readonly json?: true;
}

interface NarrowFlags extends BundleFlags {
  readonly dimensions: number;
  readonly out: string;
  readonly bundle: string;
  readonly name?: string;
}

export function addBundleCommand(program: Command, context: CommandContext): void {
  const bundle = program.command('bundle').description('Check, describe or narrow a model bundle.');
  bundle
    .command('verify')
    .description('Check every file of a bundle (length, SHA-256) and load each of its graphs once.')
    .argument('[folder]', 'the bundle', context.bundle)
    .action((folder: string) => verifyBundle(folder, context));
  bundle
    .command('show')
    .description('Describe a bundle: parts, sizes, fingerprints, measurements.')
    .argument('[folder]', 'the bundle', context.bundle)
    .option('--json', 'print JSON')
    .action((folder: string, flags: BundleFlags) => showBundle(folder, flags, context));
  bundle
    .command('narrow')
    .description(
      "Write a bundle with fewer dimensions: the first of another's, made to length 1 again.",
    )
    .requiredOption('--dimensions <n>', 'how many of the first numbers stay', wholeNumber)
    .requiredOption('--out <folder>', 'folder of the new bundle')
    .option('--bundle <folder>', 'bundle to narrow', context.bundle)
    .option('--name <name>', "the new bundle's name (default: the old one with the dimensions)")
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExact where the first directions carry the most, as in the shipped bundle; "train --bundle" fits a projector to it.',
    )
    .action((flags: NarrowFlags) => narrow(flags, context));
}

async function verifyBundle(folder: string, { out }: CommandContext): Promise<void> {
  const bundle = await Bundle.open(folder);
  await bundle.verify();
  await Tokenizer.load(bundle);
  await tryGraphs(bundle);
  const { name, version, files, projector } = bundle.manifest;
  const note = projector ? '' : ' It has no projector yet: train one with "sharelock train".';
  out(`${name}@${version} is whole: ${Object.keys(files).length} files.${note}\n`);
}

async function showBundle(
  folder: string,
  { json }: BundleFlags,
  { out }: CommandContext,
): Promise<void> {
  const bundle = await Bundle.open(folder);
  const { manifest, visionSpace, textModel } = bundle;
  const { name, version, license, vision, language, projector, templates, metrics, files } =
    manifest;
  if (json) {
    out(`${JSON.stringify({ ...manifest, fingerprints: { visionSpace, textModel } }, null, 2)}\n`);
    return;
  }
  const bytes = Object.values(files).reduce((sum, file) => sum + file.bytes, 0);
  const features = language.features
    .map(({ layer, pool }) => `${pool} of layer ${layer}`)
    .join(' + ');
  const dev = metrics?.['dev'];
  out(
    formatRows([
      ['bundle', `${name}@${version} (${license}), ${megabytes(bytes)} in ${folder}`],
      [
        'vision',
        `${vision.backbone}, ${vision.input.width}x${vision.input.height}, ${vision.dimensions} dimensions`,
      ],
      ['language', `${language.name}: ${features}, at most ${language.maxTokens} tokens`],
      ['projector', projector ? projector.graph.join(', ') : 'none yet'],
      ['templates', templates.join(' | ')],
      ['vision space', visionSpace],
      ['text model', textModel],
      ...(dev === undefined ? [] : [['dev', JSON.stringify(dev)] as const]),
    ]),
  );
  out('\n');
  const rows = Object.entries(files).map(([file, entry]) => [
    file,
    megabytes(entry.bytes),
    entry.sha256.slice(0, 12),
  ]);
  out(formatTable([['file', 'size', 'sha-256'], ...rows]));
}

async function narrow(
  { bundle, dimensions, out: folder, name, json }: NarrowFlags,
  { out, signal }: CommandContext,
): Promise<void> {
  const base = await Bundle.open(bundle);
  const made = await narrowBundle({ base, dimensions, out: resolve(folder), name, signal });
  const { manifest, visionSpace } = made;
  const textModel = manifest.projector ? made.textModel : null;
  const { version, vision } = manifest;
  if (json) {
    const answer = {
      out: folder,
      name: manifest.name,
      version,
      dimensions,
      visionSpace,
      textModel,
    };
    out(`${JSON.stringify(answer)}\n`);
    return;
  }
  const widths = `${dimensions} of ${base.manifest.vision.dimensions} dimensions`;
  out(
    `Wrote ${folder}: ${manifest.name}@${version}, ${widths}.\n` +
      formatRows([
        ['vision space', `${visionSpace} (${vision.name})`],
        ['text model', textModel ?? 'none yet: train one with "sharelock train"'],
      ]),
  );
}

function formatRows(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([key]) => key.length));
  return rows.map(([key, value]) => `${key.padEnd(width)}  ${value}\n`).join('');
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(2)} MB`;
}
