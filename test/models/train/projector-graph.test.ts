import { expect, test } from '@jest/globals';
import { float32Values, OnnxSession, Tensor } from '../../../models/onnx-session.ts';
import {
  buildProjectorGraph,
  foldProjector,
  quantizeColumns,
  type ProjectorWeights,
} from '../../../models/train/projector-graph.ts';
import { projectorParameters } from '../../../models/train/training-graph.ts';
import { Random } from '../../../platform/random.ts';

const WIDTHS = [20, 64, 64, 12];
const ROWS = 9;

function randomProjector(seed: string): ProjectorWeights {
  const random = new Random(seed);
  const weights = new Map<string, Float32Array>();
  for (const { name, dims } of projectorParameters({ widths: WIDTHS })) {
    const length = dims.reduce((a, b) => a * b, 1);
    weights.set(
      name,
      Float32Array.from({ length }, () => random.normal() / 4 + (name.endsWith('gamma') ? 1 : 0)),
    );
  }
  for (const layer of [0, 1]) {
    weights.set(
      `mean.${layer}`,
      Float32Array.from({ length: 64 }, () => random.normal()),
    );
    weights.set(
      `variance.${layer}`,
      Float32Array.from({ length: 64 }, () => 0.5 + random.uniform()),
    );
  }
  return weights;
}

/** The formulas of Linear, BatchNorm1d in inference, ReLU and normalization, one number at a time. */
function byHand(weights: ProjectorWeights, row: Float32Array): number[] {
  const get = (name: string): Float32Array => weights.get(name) ?? new Float32Array();
  let x = [...row];
  WIDTHS.slice(1).forEach((to, layer) => {
    const isLast = layer === WIDTHS.length - 2;
    x = Array.from({ length: to }, (_, j) => {
      const sum = x.reduce(
        (total, value, i) => total + value * (get(`layers.${layer}.weight`)[i * to + j] ?? 0),
        0,
      );
      const linear = sum + (get(`layers.${layer}.bias`)[j] ?? 0);
      if (isLast) return linear;
      const deviation = Math.sqrt((get(`variance.${layer}`)[j] ?? 0) + 1e-5);
      const unit = (linear - (get(`mean.${layer}`)[j] ?? 0)) / deviation;
      return Math.max(
        0,
        unit * (get(`layers.${layer}.gamma`)[j] ?? 0) + (get(`layers.${layer}.beta`)[j] ?? 0),
      );
    });
  });
  const length = Math.hypot(...x);
  return x.map((value) => value / length);
}

async function run(graph: Uint8Array, features: Float32Array): Promise<Float32Array> {
  const session = await OnnxSession.load(graph);
  const count = features.length / 20;
  const { embedding } = await session.run({
    features: new Tensor('float32', features, [count, 20]),
  });
  const values = Float32Array.from(float32Values(embedding, count * 12));
  await session.dispose();
  return values;
}

const random = new Random('features');
const features = Float32Array.from({ length: ROWS * 20 }, () => random.normal());

test('the shipped graph is the trained network with its batch norms folded in', async () => {
  const weights = randomProjector('fold');
  const graph = buildProjectorGraph([foldProjector(weights, WIDTHS)], {
    standardization: null,
    isQuantized: false,
  });

  const out = await run(graph, features);

  for (let row = 0; row < ROWS; row++) {
    const expected = byHand(weights, features.subarray(row * 20, (row + 1) * 20));
    expected.forEach((value, i) => {
      expect(out[row * 12 + i]).toBeCloseTo(value, 4);
    });
  }
});

test('features are standardized inside the graph', async () => {
  const layers = foldProjector(randomProjector('standardize'), WIDTHS);
  const standardization = {
    mean: new Float32Array(20).fill(3),
    scale: new Float32Array(20).fill(0.5),
  };
  const inside = buildProjectorGraph([layers], { standardization, isQuantized: false });
  const outside = buildProjectorGraph([layers], { standardization: null, isQuantized: false });

  const raw = features.map((value) => value * 2 + 3);

  const [a, b] = [await run(inside, raw), await run(outside, features)];
  a.forEach((value, i) => {
    expect(value).toBeCloseTo(b[i] ?? NaN, 4);
  });
});

test('quantised, it is a quarter of the size and points the same way', async () => {
  const layers = foldProjector(randomProjector('quantise'), WIDTHS);
  const exact = buildProjectorGraph([layers], { standardization: null, isQuantized: false });
  const quantized = buildProjectorGraph([layers], { standardization: null, isQuantized: true });

  const [a, b] = [await run(exact, features), await run(quantized, features)];

  expect(quantized.length).toBeLessThan(exact.length / 2);
  for (let row = 0; row < ROWS; row++) {
    let cosine = 0;
    for (let i = row * 12; i < (row + 1) * 12; i++) cosine += (a[i] ?? 0) * (b[i] ?? 0);
    expect(cosine).toBeGreaterThan(0.995);
  }
});

test('quantised, a text alone and in a batch get the same numbers', async () => {
  const graph = buildProjectorGraph([foldProjector(randomProjector('batch'), WIDTHS)], {
    standardization: null,
    isQuantized: true,
  });

  const together = await run(graph, features);
  const alone = await run(graph, features.slice(4 * 20, 5 * 20));

  expect(alone).toEqual(together.slice(4 * 12, 5 * 12));
});

test('members are averaged: the direction between theirs', async () => {
  const layers = ['one', 'two'].map((seed) => foldProjector(randomProjector(seed), WIDTHS));
  const settings = { standardization: null, isQuantized: false };

  const both = await run(buildProjectorGraph(layers, settings), features);
  const [a, b] = await Promise.all(
    layers.map((member) => run(buildProjectorGraph([member], settings), features)),
  );

  for (let row = 0; row < ROWS; row++) {
    const sum = Array.from(
      { length: 12 },
      (_, i) => (a?.[row * 12 + i] ?? 0) + (b?.[row * 12 + i] ?? 0),
    );
    const length = Math.hypot(...sum);
    sum.forEach((value, i) => {
      expect(both[row * 12 + i]).toBeCloseTo(value / length, 5);
    });
  }
});

test('quantised weights fit seven bits, and a column of zeros stays zero', () => {
  const { values, scales } = quantizeColumns(Float32Array.of(1, 0, -2, 0), 2);

  expect([...values]).toEqual([31, 0, -63, 0]);
  expect(scales[1]).toBe(1);
});
