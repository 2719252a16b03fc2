import { expect, test } from '@jest/globals';
import { OnnxSession, Tensor } from '../../../models/onnx-session.ts';
import { buildTrainingGraph, projectorParameters } from '../../../models/train/training-graph.ts';
import { Random } from '../../../platform/random.ts';

const WIDTHS = [6, 8, 8, 5];
const [PAIRS, PROTOTYPES] = [7, 4];
const ROWS = PAIRS + PROTOTYPES;
const STEP = 1e-5;

const random = new Random('training-graph');

/** float64, so that finite differences have digits to spare. */
function tensor(dims: readonly number[], value: () => number): Tensor {
  const length = dims.reduce((a, b) => a * b, 1);
  return new Tensor('float64', Float64Array.from({ length }, value), dims);
}

function randomFeeds(): Record<string, Tensor> {
  const feeds: Record<string, Tensor> = {
    features: tensor([ROWS, 6], () => random.normal()),
    targets: tensor([PAIRS, 5], () => random.normal()),
    prototypes: tensor([PROTOTYPES, 5], () => random.normal()),
    learningRate: tensor([], () => 1e-3),
    correction1: tensor([], () => 0.1),
    correction2: tensor([], () => 0.001),
  };
  for (const layer of [0, 1]) {
    feeds[`mask.${layer}`] = tensor([ROWS, 8], () => (random.uniform() < 0.7 ? 1 / 0.7 : 0));
  }
  for (const { name, dims } of projectorParameters({ widths: WIDTHS })) {
    const centre = name.endsWith('gamma') ? 1 : 0;
    feeds[name] = tensor(dims, () => centre + random.normal() / 2);
    feeds[`m/${name}`] = tensor(dims, () => random.normal() / 10);
    feeds[`v/${name}`] = tensor(dims, () => random.uniform() / 10);
  }
  return feeds;
}

function loadGraph(
  overrides: { clipNorm?: number; weightDecay?: number } = {},
): Promise<OnnxSession> {
  const graph = buildTrainingGraph({
    widths: WIDTHS,
    pairs: PAIRS,
    prototypes: PROTOTYPES,
    prototypeWeight: 0.5,
    logitScale: 5,
    weightDecay: 0.01,
    clipNorm: 1e9,
    scalarType: 'float64',
    withGradients: true,
    ...overrides,
  });
  return OnnxSession.load(graph);
}

function values(tensor: Tensor | undefined): Float64Array {
  if (!(tensor?.data instanceof Float64Array)) throw new Error('Not float64.');
  return tensor.data;
}

test('every gradient equals the finite difference of the loss', async () => {
  const session = await loadGraph();
  const feeds = randomFeeds();
  const lossNow = async (): Promise<number> => values((await session.run(feeds))['loss'])[0] ?? NaN;
  const outputs = await session.run(feeds);

  for (const { name } of projectorParameters({ widths: WIDTHS })) {
    const parameter = values(feeds[name]);
    const gradient = values(outputs[`gradient/${name}`]);
    for (let i = 0; i < parameter.length; i++) {
      const original = parameter[i] ?? 0;
      parameter[i] = original + STEP;
      const above = await lossNow();
      parameter[i] = original - STEP;
      const below = await lossNow();
      parameter[i] = original;

      const difference = (above - below) / (2 * STEP);
      expect(Math.abs((gradient[i] ?? NaN) - difference)).toBeLessThan(
        1e-7 + 1e-6 * Math.abs(difference),
      );
    }
  }
  await session.dispose();
});

test('the loss is the symmetric InfoNCE of captions plus half that of the prototypes', async () => {
  const session = await loadGraph();
  const { loss, captionLoss } = await session.run(randomFeeds());

  // Rows of length 1 against random targets: near the loss of a guess, log of the number of choices.
  const [all = 0] = values(loss);
  const [captions = 0] = values(captionLoss);
  expect(captions).toBeGreaterThan(0);
  expect(all - captions).toBeGreaterThan(0);
  await session.dispose();
});

test('a step is Adam with weight decay, as PyTorch computes it', async () => {
  const weightDecay = 0.01;
  const session = await loadGraph({ weightDecay });
  const feeds = randomFeeds();
  const outputs = await session.run(feeds);

  for (const { name } of projectorParameters({ widths: WIDTHS })) {
    const [weights, m, v] = [
      values(feeds[name]),
      values(feeds[`m/${name}`]),
      values(feeds[`v/${name}`]),
    ];
    const gradient = values(outputs[`gradient/${name}`]);
    const next = values(outputs[`next/${name}`]);
    weights.forEach((weight, i) => {
      const g = (gradient[i] ?? 0) + weightDecay * weight;
      const first = 0.9 * (m[i] ?? 0) + 0.1 * g;
      const second = 0.999 * (v[i] ?? 0) + 0.001 * g * g;
      const expected = weight - (1e-3 * (first / 0.1)) / (Math.sqrt(second / 0.001) + 1e-8);
      expect(next[i]).toBeCloseTo(expected, 9);
    });
  }
  await session.dispose();
});

test('gradients longer than the clip are shortened to it, all by one factor', async () => {
  const [free, clipped] = [
    await loadGraph({ weightDecay: 0 }),
    await loadGraph({ weightDecay: 0, clipNorm: 0.01 }),
  ];
  const feeds = randomFeeds();
  const outputs = await free.run(feeds);
  const shortened = await clipped.run(feeds);

  const parameters = projectorParameters({ widths: WIDTHS });
  const all = parameters.flatMap(({ name }) => [...values(outputs[`gradient/${name}`])]);
  const factor = 0.01 / Math.hypot(...all);
  expect(factor).toBeLessThan(1);
  for (const { name } of parameters) {
    const gradient = values(outputs[`gradient/${name}`]);
    const [m, next] = [values(feeds[`m/${name}`]), values(shortened[`next/m/${name}`])];
    m.forEach((value, i) => {
      expect(next[i]).toBeCloseTo(0.9 * value + 0.1 * factor * (gradient[i] ?? 0), 6);
    });
  }
  await free.dispose();
  await clipped.dispose();
});
