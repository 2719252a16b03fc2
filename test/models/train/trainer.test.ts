import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import {
  DEFAULT_SETTINGS,
  learningRateAt,
  type TrainingSettings,
} from '../../../models/train/settings.ts';
import { trainProjector, type TrainedProjector } from '../../../models/train/trainer.ts';
import type { CaptionedFeatures, TrainingData } from '../../../models/train/training-data.ts';
import { Random } from '../../../platform/random.ts';
import { temporaryFolder } from '../../support/bundles.ts';
import { withCode } from '../../support/errors.ts';

const [WIDTH, DIMENSIONS] = [12, 6];
const SETTINGS: TrainingSettings = {
  ...DEFAULT_SETTINGS,
  members: 1,
  hidden: 32,
  batchSize: 40,
  steps: 60,
  warmupSteps: 5,
  learningRate: 5e-3,
  evaluateEvery: 10,
  dropout: 0.1,
};

/** Photos are random directions, captions a fixed linear map of them with noise: something that can be learned. */
function learnableData(): TrainingData {
  const random = new Random('data');
  const map = Array.from({ length: DIMENSIONS * WIDTH }, () => random.normal());
  const split = (photos: number): CaptionedFeatures => {
    const view = new Float32Array(photos * DIMENSIONS);
    const captions = new Float32Array(photos * 2 * WIDTH);
    for (let photo = 0; photo < photos; photo++) {
      const direction = Array.from({ length: DIMENSIONS }, () => random.normal());
      const length = Math.hypot(...direction);
      direction.forEach((value, i) => (view[photo * DIMENSIONS + i] = value / length));
      for (const caption of [2 * photo, 2 * photo + 1]) {
        for (let j = 0; j < WIDTH; j++) {
          const sum = direction.reduce(
            (total, value, i) => total + (value / length) * (map[i * WIDTH + j] ?? 0),
            0,
          );
          captions[caption * WIDTH + j] = sum + random.normal() / 10;
        }
      }
    }
    const captionsOf = Array.from({ length: photos }, (_, photo) => [2 * photo, 2 * photo + 1]);
    return { captions, views: [view], captionsOf };
  };
  return { train: split(120), dev: split(50), prototypes: null, skipped: [] };
}

interface RunOptions {
  readonly folder: string;
  readonly settings?: Partial<TrainingSettings>;
  readonly stopAfterStep?: number;
}

async function run({
  folder,
  settings = {},
  stopAfterStep,
}: RunOptions): Promise<TrainedProjector & { steps: number[] }> {
  const controller = new AbortController();
  const steps: number[] = [];
  const trained = await trainProjector(learnableData(), {
    settings: { ...SETTINGS, ...settings },
    featureWidth: WIDTH,
    dimensions: DIMENSIONS,
    threads: 1,
    checkpoint: join(folder, 'checkpoint'),
    identity: 'test',
    signal: controller.signal,
    onStep: (step) => {
      steps.push(step);
      if (step === stopAfterStep) controller.abort();
    },
  });
  return { ...trained, steps };
}

test('it learns: recall rises far above chance and the loss falls', async () => {
  const { dev, members } = await run({ folder: await temporaryFolder() });
  const history = members[0]?.history ?? [];

  expect(dev.textToImage.r10).toBeGreaterThan(60); // chance: 20
  expect(history.at(-1)?.loss).toBeLessThan((history[0]?.loss ?? 0) * 0.7);
});

test('a run that was stopped goes on from its checkpoint and ends with the same bytes', async () => {
  const whole = await run({ folder: await temporaryFolder() });
  const folder = await temporaryFolder();

  await expect(run({ folder, stopAfterStep: 37 })).rejects.toMatchObject(withCode('ABORTED'));
  const resumed = await run({ folder });

  expect(resumed.steps[0]).toBe(31); // the checkpoint of step 30
  expect(resumed.members).toEqual(whole.members);
  expect(Buffer.compare(resumed.graph, whole.graph)).toBe(0);
});

test('a stop in a later member keeps the earlier ones', async () => {
  const settings = { members: 2, steps: 20 };
  const whole = await run({ folder: await temporaryFolder(), settings });
  const folder = await temporaryFolder();

  await expect(run({ folder, settings, stopAfterStep: 35 })).rejects.toMatchObject(
    withCode('ABORTED'),
  );
  const resumed = await run({ folder, settings });

  expect(resumed.steps[0]).toBe(31); // step 11 of the second member
  expect(whole.members).toHaveLength(2);
  expect(whole.members[0]).not.toEqual(whole.members[1]);
  expect(Buffer.compare(resumed.graph, whole.graph)).toBe(0);
});

test('the same seed gives the same bytes, another seed others', async () => {
  const short = { steps: 20 };
  const first = await run({ folder: await temporaryFolder(), settings: short });
  const again = await run({ folder: await temporaryFolder(), settings: short });
  const other = await run({ folder: await temporaryFolder(), settings: { ...short, seed: 2 } });

  expect(Buffer.compare(first.graph, again.graph)).toBe(0);
  expect(Buffer.compare(first.graph, other.graph)).not.toBe(0);
});

test('a checkpoint of other settings is not continued', async () => {
  const folder = await temporaryFolder();
  await expect(run({ folder, stopAfterStep: 37 })).rejects.toMatchObject(withCode('ABORTED'));

  const other = await run({ folder, settings: { dropout: 0.2, steps: 20 } });

  expect(other.steps[0]).toBe(1);
});

test('training ends early when nothing improves', async () => {
  const { steps, members } = await run({
    folder: await temporaryFolder(),
    settings: { steps: 2000, patience: 2, learningRate: 1e-9 },
  });

  expect(steps.length).toBeLessThan(200);
  expect(members[0]?.bestStep).toBeLessThanOrEqual(steps.length - 20);
});

test('the learning rate warms up, peaks, and ends at nothing', () => {
  const settings = { ...SETTINGS, warmupSteps: 10, steps: 100, learningRate: 1 };

  expect(learningRateAt(0, settings)).toBeCloseTo(0.1);
  expect(learningRateAt(10, settings)).toBeCloseTo(1);
  expect(learningRateAt(55, settings)).toBeCloseTo(0.5);
  expect(learningRateAt(100, settings)).toBeCloseTo(0);
});
