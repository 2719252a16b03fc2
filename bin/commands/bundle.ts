import type { Command } from 'commander';
import { Bundle } from '../../models/bundle.ts';
import { loadTextSessions, loadVisionSession } from '../../models/sessions.ts';
import { Tokenizer } from '../../models/tokenizer.ts';
import type { CommandContext } from '../program.ts';
import { formatTable } from '../table.ts';

interface BundleFlags {
  readonly json?: true;
}

export function addBundleCommand(program: Command, context: CommandContext): void {
  const bundle = program.command('bundle').description('Check or describe a model bundle.');
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
}

async function verifyBundle(folder: string, { out }: CommandContext): Promise<void> {
  const bundle = await Bundle.open(folder);
  await bundle.verify();
  await Tokenizer.load(bundle);
  const vision = await loadVisionSession(bundle);
  await vision.warmUp();
  await vision.dispose();
  const text = await loadTextSessions(bundle, {
    withProjector: bundle.manifest.projector !== undefined,
  });
  await text.warmUp();
  await text.dispose();
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

function formatRows(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([key]) => key.length));
  return rows.map(([key, value]) => `${key.padEnd(width)}  ${value}\n`).join('');
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(2)} MB`;
}
