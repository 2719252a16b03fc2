import { GraphBuilder, MICROSOFT } from '../onnx/graph-builder.ts';
import type { Standardization } from './standardization.ts';
import { BATCH_NORM_EPSILON } from './tape.ts';
import { layersOf } from './training-graph.ts';

/** Values of all trained tensors and batch-norm statistics by name (`layers.0.weight`, `mean.0`, `variance.0`). */
export type ProjectorWeights = ReadonlyMap<string, Float32Array>;

/** A linear layer as it runs: weight [in, out] row by row, bias [out]. */
export interface LinearLayer {
  readonly from: number;
  readonly to: number;
  readonly weight: Float32Array;
  readonly bias: Float32Array;
}

/** As in the language graph (models/export/llama.py): sums of two products must fit 16 bits on every x86 kernel. */
const WEIGHT_LIMIT = 63;
const ACTIVATION_LIMIT = 127;
const ZERO_POINT = 128;

/** Batch norms folded into the linear layers before them, as they act at inference. */
export function foldProjector(weights: ProjectorWeights, widths: readonly number[]): LinearLayer[] {
  const get = (name: string): Float32Array => {
    const values = weights.get(name);
    if (!values) throw new Error(`The projector has no ${name}.`);
    return values;
  };
  return layersOf(widths).map(({ number, from, to, isLast }) => {
    const weight = Float32Array.from(get(`layers.${number}.weight`));
    const bias = Float32Array.from(get(`layers.${number}.bias`));
    if (isLast) return { from, to, weight, bias };
    const [gamma, beta] = [get(`layers.${number}.gamma`), get(`layers.${number}.beta`)];
    const [mean, variance] = [get(`mean.${number}`), get(`variance.${number}`)];
    const scale = gamma.map(
      (value, i) => value / Math.sqrt((variance[i] ?? 0) + BATCH_NORM_EPSILON),
    );
    for (let i = 0; i < weight.length; i++) weight[i] = (weight[i] ?? 0) * (scale[i % to] ?? 0);
    bias.forEach((value, i) => {
      bias[i] = (value - (mean[i] ?? 0)) * (scale[i] ?? 0) + (beta[i] ?? 0);
    });
    return { from, to, weight, bias };
  });
}

export interface ProjectorGraphOptions {
  readonly standardization: Standardization | null;
  /** int8 weights and activations (a quarter of the size, faster for one text) instead of float32. */
  readonly isQuantized: boolean;
}

/** The projector as it ships: float32 `features` [N, width] in, unit `embedding` [N, dimensions] out; members are averaged. */
export function buildProjectorGraph(
  members: readonly (readonly LinearLayer[])[],
  { standardization, isQuantized }: ProjectorGraphOptions,
): Uint8Array {
  const graph = new GraphBuilder();
  const [first] = members;
  const [inputWidth, dimensions] = [first?.[0]?.from ?? 0, first?.at(-1)?.to ?? 0];
  let features = graph.input('features', 'float32', ['batch', inputWidth]);
  if (standardization) {
    const mean = graph.weight('mean', standardization.mean, [inputWidth]);
    const scale = graph.weight('scale', standardization.scale, [inputWidth]);
    features = graph.op('Mul', [graph.op('Sub', [features, mean]), scale]);
  }
  const embeddings = members.map((layers, member) => {
    let x = features;
    layers.forEach((layer, number) => {
      const write = isQuantized ? writeQuantizedLayer : writeLayer;
      x = write(graph, x, layer, `members.${member}.layers.${number}`);
      if (number + 1 < layers.length) x = graph.op('Relu', [x]);
    });
    return normalizeRows(graph, x);
  });
  const [only = ''] = embeddings;
  const embedding = members.length === 1 ? only : normalizeRows(graph, graph.op('Sum', embeddings));
  graph.output(embedding, 'embedding', 'float32', ['batch', dimensions]);
  return graph.build('projector');
}

function normalizeRows(graph: GraphBuilder, x: string): string {
  return graph.op('LpNormalization', [x], { axis: -1, p: 2 });
}

function writeLayer(
  graph: GraphBuilder,
  x: string,
  { from, to, weight, bias }: LinearLayer,
  name: string,
): string {
  const inputs = [
    graph.weight(`${name}.weight`, weight, [from, to]),
    graph.weight(`${name}.bias`, bias, [to]),
  ];
  return graph.op('Gemm', [x, ...inputs]);
}

/** Weights with one scale an output, activations with one scale a row found at run time: a text alone and in a batch agree. */
function writeQuantizedLayer(
  graph: GraphBuilder,
  x: string,
  { from, to, weight, bias }: LinearLayer,
  name: string,
): string {
  const { values, scales } = quantizeColumns(weight, to);
  const op = graph.op.bind(graph);
  const largest = op('ReduceMax', [op('Abs', [x]), graph.integers([1])], { keepdims: 0 });
  const floored = op('Max', [largest, graph.scalar(1e-8)]);
  const scale = op('Mul', [floored, graph.scalar(1 / ACTIVATION_LIMIT)]);
  const zero = graph.weight(`${name}.zero`, Uint8Array.of(ZERO_POINT), []);
  const zeros = op('Expand', [zero, op('Shape', [scale])]);
  const integers = op('QuantizeLinear', [x, scale, zeros], { axis: 0 });
  const product = op(
    'MatMulIntegerToFloat',
    [
      integers,
      graph.weight(`${name}.values`, values, [from, to]),
      graph.scalar(1),
      graph.weight(`${name}.scales`, scales, [to]),
      zero,
    ],
    {},
    MICROSOFT,
  );
  const scaled = op('Mul', [product, op('Unsqueeze', [scale, graph.integers([1])])]);
  return op('Add', [scaled, graph.weight(`${name}.bias`, bias, [to])]);
}

/** int8 in -63..63 and one scale a column. */
export function quantizeColumns(
  weight: Float32Array,
  columns: number,
): { values: Int8Array; scales: Float32Array } {
  const scales = new Float32Array(columns);
  for (let i = 0; i < weight.length; i++) {
    const column = i % columns;
    scales[column] = Math.max(scales[column] ?? 0, Math.abs(weight[i] ?? 0));
  }
  for (let i = 0; i < columns; i++) scales[i] = (scales[i] ?? 0) / WEIGHT_LIMIT || 1;
  const values = Int8Array.from(weight, (value, i) =>
    Math.round(value / (scales[i % columns] ?? 1)),
  );
  return { values, scales };
}
