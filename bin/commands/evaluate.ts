import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { messageOf, PlatformError } from '../../platform/errors.ts';
import { Bundle } from '../../models/bundle.ts';
import { plotRecall } from '../../models/evaluate/recall-plot.ts';
import {
  evaluateRetrieval,
  type Encoders,
  type RetrievalReport,
} from '../../models/evaluate/retrieval.ts';
import { evaluateZeroShot, type ZeroShotReport } from '../../models/evaluate/zero-shot.ts';
import { ImageEncoder } from '../../models/image-encoder.ts';
import { TextEncoder } from '../../models/text-encoder.ts';
import type { CommandContext } from '../program.ts';
import { wholeNumber } from '../options.ts';
import { Progress } from '../progress.ts';
import { formatTable, withInterval } from '../table.ts';

interface EvaluateFlags {
  readonly dataset?: string;
  readonly split: string;
  readonly classes?: string;
  readonly limitPerClass: number;
  readonly plot?: string;
  readonly bundle: string;
  readonly json?: true;
}

/** How many of the hardest classes the table names. */
const WORST_CLASSES = 5;

export function addEvaluateCommand(program: Command, context: CommandContext): void {
  program
    .command('evaluate')
    .description(
      'Measure retrieval on captioned photos, or zero-shot classification on folders of photos.',
    )
    .option(
      '--dataset <folder>',
      'folder with captions.jsonl (a line {image, split, captions[]} a photo)',
    )
    .option('--split <name>', 'which photos of the dataset; "all" takes every one', 'all')
    .option('--classes <folder>', 'folder of class folders; a class is named as its folder')
    .option(
      '--limit-per-class <n>',
      'take only the first N photos of each class',
      wholeNumber,
      Infinity,
    )
    .option('--plot <file>', 'write recall@k as an SVG picture (with --dataset)')
    .option('--bundle <folder>', 'model bundle', context.bundle)
    .option('--json', 'print JSON')
    .action(async (flags: EvaluateFlags, command: Command) => {
      const { dataset, classes } = flags;
      if ((dataset === undefined) === (classes === undefined)) {
        command.error('error: give either --dataset DIR or --classes DIR', { exitCode: 2 });
      }
      if (flags.plot !== undefined && dataset === undefined) {
        command.error('error: --plot goes with --dataset DIR', { exitCode: 2 });
      }
      if (flags.plot !== undefined) await writePlot(flags.plot, ''); // a bad path is told before the work
      const text = await withEncoders(await Bundle.open(flags.bundle), (encoders) =>
        dataset === undefined
          ? reportZeroShot(classes ?? '', flags, encoders, context)
          : reportRetrieval(dataset, flags, encoders, context),
      );
      context.out(text);
    });
}

async function withEncoders<T>(
  bundle: Bundle,
  use: (encoders: Encoders) => Promise<T>,
): Promise<T> {
  const texts = await TextEncoder.load(bundle);
  try {
    const images = await ImageEncoder.load(bundle);
    try {
      return await use({ images, texts });
    } finally {
      await images.dispose();
    }
  } finally {
    await texts.dispose();
  }
}

async function reportRetrieval(
  dataset: string,
  flags: EvaluateFlags,
  encoders: Encoders,
  context: CommandContext,
): Promise<string> {
  const report = await withProgress(context, (onProgress) =>
    evaluateRetrieval(dataset, flags.split, encoders, { signal: context.signal, onProgress }),
  );
  warnSkipped(report.skipped, context);
  if (flags.plot !== undefined) {
    const title = `Recall@k, ${report.images} photos, ${report.captions} captions (${flags.split})`;
    await writePlot(flags.plot, plotRecall(report, title));
    context.err(`Wrote ${flags.plot}.\n`);
  }
  return flags.json ? `${JSON.stringify(report)}\n` : retrievalTable(report);
}

async function writePlot(path: string, content: string): Promise<void> {
  try {
    await writeFile(path, content);
  } catch (cause) {
    throw new PlatformError('BAD_USER_INPUT', `--plot ${path}: ${messageOf(cause)}`, { cause });
  }
}

function retrievalTable(report: RetrievalReport): string {
  const row = (name: string, result: RetrievalReport['textToImage']): string[] => [
    name,
    ...(['r1', 'r5', 'r10', 'medianRank'] as const).map((key) =>
      withInterval(result[key], result.interval[key]),
    ),
  ];
  const head = `${report.images} photos, ${report.captions} captions; percent, with 95 % intervals\n`;
  return (
    head +
    formatTable([
      ['', 'R@1', 'R@5', 'R@10', 'median rank'],
      row('text → image', report.textToImage),
      row('image → text', report.imageToText),
    ])
  );
}

async function reportZeroShot(
  folder: string,
  flags: EvaluateFlags,
  encoders: Encoders,
  context: CommandContext,
): Promise<string> {
  const report = await withProgress(context, (onProgress) =>
    evaluateZeroShot(folder, flags.limitPerClass, encoders, { signal: context.signal, onProgress }),
  );
  warnSkipped(report.skipped, context);
  return flags.json ? `${JSON.stringify(report)}\n` : zeroShotTable(report);
}

function zeroShotTable(report: ZeroShotReport): string {
  const worst = [...report.perClass]
    .filter(({ images }) => images > 0)
    .sort((a, b) => a.top1 - b.top1)
    .slice(0, WORST_CLASSES)
    .map(({ name, top1 }) => `${name} ${top1.toFixed(0)} %`);
  const head = `${report.images} photos, ${report.classes} classes; percent, with 95 % intervals\n`;
  const keys = ['top1', 'top5', 'meanPerClass'] as const;
  const table = formatTable([
    ['', 'top-1', 'top-5', 'mean per class'],
    ['zero-shot', ...keys.map((key) => withInterval(report[key], report.interval[key]))],
  ]);
  return `${head}${table}Hardest: ${worst.join(', ')}\n`;
}

async function withProgress<T>(
  context: CommandContext,
  run: (onProgress: (phase: string, done: number, total: number) => void) => Promise<T>,
): Promise<T> {
  const progress = new Progress(context);
  try {
    return await run((phase, done, total) => {
      progress.update(phase, done, total);
    });
  } finally {
    progress.stop();
  }
}

function warnSkipped(skipped: RetrievalReport['skipped'], { err }: CommandContext): void {
  for (const { path, reason } of skipped.slice(0, 10))
    err(`warning: left out ${path}: ${reason}\n`);
  if (skipped.length > 10)
    err(`warning: left out ${skipped.length - 10} more photos (--json names them)\n`);
}
