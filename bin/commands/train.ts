import { resolve } from 'node:path';
import type { Command } from 'commander';
import { Bundle } from '../../models/bundle.ts';
import type { DevMeasurement } from '../../models/train/dev-measurement.ts';
import { DEFAULT_SETTINGS } from '../../models/train/settings.ts';
import { trainBundle } from '../../models/train/train-bundle.ts';
import type { CommandContext } from '../program.ts';
import { wholeNumber } from '../options.ts';
import { Progress } from '../progress.ts';

interface TrainFlags {
  readonly dataset: string;
  readonly out: string;
  readonly seed: number;
  readonly steps: number;
  readonly hidden: number;
  readonly members: number;
  readonly batchSize: number;
  readonly trainSplit: string;
  readonly devSplit: string;
  readonly bundle: string;
  readonly cache?: string;
  readonly json?: true;
}

export function addTrainCommand(program: Command, context: CommandContext): void {
  const defaults = DEFAULT_SETTINGS;
  program
    .command('train')
    .description('Train a projector on captioned photos and write a complete bundle with it.')
    .requiredOption(
      '--dataset <folder>',
      'folder with captions.jsonl (a line {image, split, captions[]} a photo)',
    )
    .requiredOption(
      '--out <folder>',
      'folder of the new bundle; a run that was stopped goes on there',
    )
    .option('--seed <n>', 'what everything random follows from', wholeNumber, defaults.seed)
    .option('--steps <n>', 'training steps of each member', wholeNumber, defaults.steps)
    .option(
      '--members <n>',
      'projectors that are trained and averaged',
      wholeNumber,
      defaults.members,
    )
    .option('--hidden <n>', 'width of the hidden layers', wholeNumber, defaults.hidden)
    .option('--batch-size <n>', 'captions of one step', wholeNumber, defaults.batchSize)
    .option('--train-split <name>', 'photos to train on', 'train')
    .option('--dev-split <name>', 'photos to choose the best step by', 'dev')
    .option('--bundle <folder>', 'bundle that gives the frozen parts', context.bundle)
    .option(
      '--cache <folder>',
      'keep features here, for more than one run (default: inside --out, removed at the end)',
    )
    .option('--json', 'print the result as JSON')
    .addHelpText('after', '\nStopped or killed, the same command goes on where it was.')
    .action((flags: TrainFlags) => train(flags, context));
}

async function train(flags: TrainFlags, context: CommandContext): Promise<void> {
  const base = await Bundle.open(flags.bundle);
  const { seed, steps, hidden, members, batchSize } = flags;
  const progress = new Progress(context);
  try {
    const { dev, members: trained } = await trainBundle({
      ...flags,
      base,
      out: resolve(flags.out),
      version: base.manifest.projector ? base.manifest.version + 1 : base.manifest.version,
      settings: { ...DEFAULT_SETTINGS, seed, steps, hidden, members, batchSize },
      signal: context.signal,
      onFeatures: (phase, done, total) => {
        progress.update(phase, done, total);
      },
      onStep: (step, total, loss) => {
        progress.update('training', step, total, `loss ${loss.toFixed(3)}`);
      },
      onMeasurement: (member, measurement) => {
        progress.line(
          `member ${member + 1}, step ${measurement.step}: loss ${measurement.loss.toFixed(3)}, dev ${devLine(measurement.dev)}`,
        );
      },
      onSkipped: (path, reason) => {
        progress.line(`warning: left out ${path}: ${reason}`);
      },
    });
    const bestSteps = trained.map(({ bestStep }) => bestStep);
    context.out(
      flags.json
        ? `${JSON.stringify({ out: flags.out, bestSteps, dev })}\n`
        : `Wrote ${flags.out} (best steps ${bestSteps.join(', ')}); dev ${devLine(dev)}\n`,
    );
  } finally {
    progress.stop();
  }
}

function devLine({ textToImage, imageToText }: DevMeasurement): string {
  const numbers = ({ r1, r5, r10 }: DevMeasurement['textToImage']): string =>
    [r1, r5, r10].map((value) => value.toFixed(1)).join(' / ');
  return `R@1/5/10 text → image ${numbers(textToImage)}, image → text ${numbers(imageToText)}`;
}
