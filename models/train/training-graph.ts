import { GraphBuilder } from '../onnx/graph-builder.ts';
import { Tape } from './tape.ts';

/** Adam (arXiv 1412.6980) as PyTorch runs it by default. */
const BETA1 = 0.9;
const BETA2 = 0.999;
const ADAM_EPSILON = 1e-8;

export interface ProjectorShape {
  /** Widths from language features to shared space: 1152, 2048, 2048, 2048, 384. */
  readonly widths: readonly number[];
}

export interface TrainingGraphOptions extends ProjectorShape {
  /** Caption rows of a batch. */
  readonly pairs: number;
  /** Label-prototype rows behind them; 0 for none. */
  readonly prototypes: number;
  readonly prototypeWeight: number;
  readonly logitScale: number;
  readonly weightDecay: number;
  /** Largest length of all gradients together. */
  readonly clipNorm: number;
  readonly scalarType?: 'float32' | 'float64';
  /** Also give each gradient as an output `gradient/NAME`, before clipping. */
  readonly withGradients?: boolean;
}

export interface Parameter {
  readonly name: string;
  readonly dims: readonly number[];
}

/** The trained tensors, in a fixed order: per layer weight [in, out], bias; gamma and beta but for the last. */
export function projectorParameters({ widths }: ProjectorShape): Parameter[] {
  return layersOf(widths).flatMap(({ number, from, to, isLast }) => [
    { name: `layers.${number}.weight`, dims: [from, to] },
    { name: `layers.${number}.bias`, dims: [to] },
    ...(isLast
      ? []
      : [
          { name: `layers.${number}.gamma`, dims: [to] },
          { name: `layers.${number}.beta`, dims: [to] },
        ]),
  ]);
}

export function layersOf(
  widths: readonly number[],
): { number: number; from: number; to: number; isLast: boolean }[] {
  return widths.slice(1).map((to, number) => ({
    number,
    from: widths[number] ?? 0,
    to,
    isLast: number === widths.length - 2,
  }));
}

/**
 * One training step as an ONNX graph: forward, symmetric InfoNCE on captions (and on label prototypes), backward,
 * clipping, Adam. (ShareLock, arXiv 2410.07173, section 3; settings in the repository's model card.)
 *
 * In: `features` [pairs + prototypes, widths[0]], `targets` [pairs, D], `prototypes` [prototypes, D], `mask.N` per hidden
 * layer, `learningRate`, `correction1`, `correction2` (Adam's bias corrections, scalars), and per parameter P: P, `m/P`, `v/P`.
 * Out: `loss`, `captionLoss`, `mean.N` and `variance.N` of each batch norm, and `next/P`, `next/m/P`, `next/v/P`.
 */
export function buildTrainingGraph(options: TrainingGraphOptions): Uint8Array {
  const { widths, pairs, prototypes, scalarType = 'float32' } = options;
  const graph = new GraphBuilder(scalarType);
  const tape = new Tape(graph);
  const rows = pairs + prototypes;
  const dimensions = widths.at(-1) ?? 0;
  const parameters = projectorParameters({ widths });
  for (const { name, dims } of parameters) graph.input(name, scalarType, dims);

  let x = graph.input('features', scalarType, [rows, widths[0] ?? 0]);
  for (const { number, to, isLast } of layersOf(widths)) {
    x = tape.linear(x, `layers.${number}.weight`, `layers.${number}.bias`, number === 0);
    if (isLast) break;
    const norm = tape.batchNorm(x, `layers.${number}.gamma`, `layers.${number}.beta`);
    graph.output(norm.mean, `mean.${number}`, scalarType, [to]);
    graph.output(norm.variance, `variance.${number}`, scalarType, [to]);
    x = tape.mask(tape.relu(norm.value), graph.input(`mask.${number}`, scalarType, [rows, to]));
  }
  const embedding = tape.normalizeRows(x);

  const targets = graph.input('targets', scalarType, [pairs, dimensions]);
  let loss: string;
  let captionLoss: string;
  if (prototypes === 0) {
    loss = captionLoss = tape.contrastiveLoss(embedding, targets, options.logitScale, pairs);
  } else {
    const classes = graph.input('prototypes', scalarType, [prototypes, dimensions]);
    const [captions, labels] = tape.splitRows(embedding, pairs, prototypes);
    captionLoss = tape.contrastiveLoss(captions, targets, options.logitScale, pairs);
    const labelLoss = tape.contrastiveLoss(labels, classes, options.logitScale, prototypes);
    loss = tape.addWeighted(captionLoss, labelLoss, options.prototypeWeight);
  }
  graph.output(loss, 'loss', scalarType, []);
  graph.output(captionLoss, 'captionLoss', scalarType, []);

  const gradients = tape.gradients(
    loss,
    parameters.map(({ name }) => name),
  );
  if (options.withGradients) {
    for (const { name, dims } of parameters) {
      graph.output(gradients.get(name) ?? '', `gradient/${name}`, scalarType, dims);
    }
  }
  writeAdam(graph, parameters, gradients, options);
  return graph.build('training-step');
}

function writeAdam(
  graph: GraphBuilder,
  parameters: readonly Parameter[],
  gradients: ReadonlyMap<string, string>,
  { clipNorm, weightDecay, scalarType = 'float32' }: TrainingGraphOptions,
): void {
  const op = graph.op.bind(graph);
  const scalar = graph.scalar.bind(graph);
  const rate = graph.input('learningRate', scalarType, []);
  const correction1 = graph.input('correction1', scalarType, []);
  const correction2 = graph.input('correction2', scalarType, []);

  const squares = [...gradients.values()].map((gradient) =>
    op('ReduceSumSquare', [gradient], { keepdims: 0 }),
  );
  const length = op('Sqrt', [op('Sum', squares)]);
  const shrink = op('Min', [
    scalar(1),
    op('Div', [scalar(clipNorm), op('Add', [length, scalar(1e-6)])]),
  ]);

  for (const { name, dims } of parameters) {
    const m = graph.input(`m/${name}`, scalarType, dims);
    const v = graph.input(`v/${name}`, scalarType, dims);
    const clipped = op('Mul', [gradients.get(name) ?? '', shrink]);
    const gradient = op('Add', [clipped, op('Mul', [name, scalar(weightDecay)])]);
    const nextM = op('Add', [
      op('Mul', [m, scalar(BETA1)]),
      op('Mul', [gradient, scalar(1 - BETA1)]),
    ]);
    const square = op('Mul', [gradient, gradient]);
    const nextV = op('Add', [
      op('Mul', [v, scalar(BETA2)]),
      op('Mul', [square, scalar(1 - BETA2)]),
    ]);
    const spread = op('Add', [op('Sqrt', [op('Div', [nextV, correction2])]), scalar(ADAM_EPSILON)]);
    const update = op('Div', [op('Mul', [nextM, op('Div', [rate, correction1])]), spread]);
    graph.output(op('Sub', [name, update]), `next/${name}`, scalarType, dims);
    graph.output(nextM, `next/m/${name}`, scalarType, dims);
    graph.output(nextV, `next/v/${name}`, scalarType, dims);
  }
}
