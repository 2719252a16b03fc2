import type { GraphBuilder } from '../onnx/graph-builder.ts';

/** Added to variances, as PyTorch's BatchNorm1d does. */
export const BATCH_NORM_EPSILON = 1e-5;

type Backward = (gradient: string) => readonly (readonly [value: string, gradient: string])[];

export interface Normalized {
  readonly value: string;
  /** Mean and biased variance of the batch, [width], for the running statistics. */
  readonly mean: string;
  readonly variance: string;
}

/**
 * Reverse-mode differentiation that writes ONNX nodes: every operation notes how a gradient passes back through it, and
 * `gradients` writes the nodes of the whole way back. Values are matrices [rows, width] unless said otherwise.
 * Batch norm, row normalisation and the contrastive loss have their derivative in closed form: fewer passes over memory.
 */
export class Tape {
  readonly #graph: GraphBuilder;
  readonly #steps: { readonly output: string; readonly backward: Backward }[] = [];

  constructor(graph: GraphBuilder) {
    this.#graph = graph;
  }

  /** x · weight + bias; weight [in, out], bias [out]. Data that is not trained (`isData`) gets no gradient: a product saved. */
  linear(x: string, weight: string, bias: string, isData = false): string {
    const { op } = this.#bound;
    return this.#record(op('Gemm', [x, weight, bias]), (g) => [
      ...(isData ? [] : [[x, op('Gemm', [g, weight], { transB: 1 })] as const]),
      [weight, op('Gemm', [x, g], { transA: 1 })],
      [bias, this.#sumRows(g)],
    ]);
  }

  relu(x: string): string {
    const { op } = this.#bound;
    const y = op('Relu', [x]);
    const zero = this.#graph.scalar(0);
    return this.#record(y, (g) => [[x, op('Where', [op('Greater', [y, zero]), g, zero])]]);
  }

  /** Elementwise product with a matrix that is not trained (a dropout mask). */
  mask(x: string, mask: string): string {
    const { op } = this.#bound;
    return this.#record(op('Mul', [x, mask]), (g) => [[x, op('Mul', [g, mask])]]);
  }

  /** Batch normalisation in training (arXiv 1502.03167): each column by its own mean and variance, then gamma and beta. */
  batchNorm(x: string, gamma: string, beta: string): Normalized {
    const { op } = this.#bound;
    const mean = this.#meanRows(x);
    const centred = op('Sub', [x, mean]);
    const variance = this.#meanRows(op('Mul', [centred, centred]));
    const deviation = op('Sqrt', [op('Add', [variance, this.#graph.scalar(BATCH_NORM_EPSILON)])]);
    const unit = op('Div', [centred, deviation]);
    const value = op('Add', [op('Mul', [unit, gamma]), beta]);
    this.#record(value, (g) => {
      const slope = op('Mul', [g, unit]);
      const along = op('Mul', [unit, this.#meanRows(slope)]);
      const free = op('Sub', [op('Sub', [g, along]), this.#meanRows(g)]);
      return [
        [x, op('Mul', [free, op('Div', [gamma, deviation])])],
        [gamma, this.#sumRows(slope)],
        [beta, this.#sumRows(g)],
      ];
    });
    return { value, mean, variance };
  }

  /** Each row divided by its length. */
  normalizeRows(x: string): string {
    const { op } = this.#bound;
    const length = op('ReduceL2', [x, this.#graph.integers([1])], { keepdims: 1 });
    const y = op('Div', [x, length]);
    return this.#record(y, (g) => {
      const along = op('ReduceSum', [op('Mul', [g, y]), this.#graph.integers([1])], {
        keepdims: 1,
      });
      return [[x, op('Div', [op('Sub', [g, op('Mul', [y, along])]), length])]];
    });
  }

  /** The first `head` rows and the remaining `tail` rows. */
  splitRows(x: string, head: number, tail: number): readonly [string, string] {
    const { op } = this.#bound;
    const sizes = this.#graph.integers([head, tail]);
    const [first = '', second = ''] = this.#graph.ops('Split', [x, sizes], 2, { axis: 0 });
    const gradients = new Map<string, string>();
    // The way back visits the later output first; both gradients are needed to join them.
    const collect =
      (output: string): Backward =>
      (g) => {
        gradients.set(output, g);
        const [a, b] = [gradients.get(first), gradients.get(second)];
        return a !== undefined && b !== undefined ? [[x, op('Concat', [a, b], { axis: 0 })]] : [];
      };
    this.#record(first, collect(first));
    this.#record(second, collect(second));
    return [first, second];
  }

  /**
   * Symmetric InfoNCE (arXiv 2103.00020): row i of `a` belongs to row i of `b`, every other row is a negative. Rows have
   * length 1, `b` is not trained. Gives a scalar: the mean of both directions' cross-entropies, in nats.
   */
  contrastiveLoss(a: string, b: string, logitScale: number, rows: number): string {
    const { op } = this.#bound;
    const { scalar, integers } = this.#boundConstants;
    const logits = op('Gemm', [a, b], { transB: 1, alpha: logitScale });
    const normalizers = [0, 1].map((axis) =>
      op(
        'ReduceMean',
        [op('ReduceLogSumExp', [logits, integers([axis])], { keepdims: 0 }), integers([0])],
        { keepdims: 0 },
      ),
    );
    const pairs = op('ReduceSum', [op('Mul', [a, b]), integers([0, 1])], { keepdims: 0 });
    const normalizer = op('Mul', [op('Add', normalizers), scalar(0.5)]);
    const loss = op('Sub', [normalizer, op('Mul', [pairs, scalar(logitScale / rows)])]);
    return this.#record(loss, (g) => {
      const both = op('Add', [
        op('Softmax', [logits], { axis: 0 }),
        op('Softmax', [logits], { axis: 1 }),
      ]);
      const pulled = op('Sub', [op('Gemm', [both, b], { alpha: 0.5 }), b]);
      return [[a, op('Mul', [op('Mul', [pulled, scalar(logitScale / rows)]), g])]];
    });
  }

  /** first + weight · second, for scalars. */
  addWeighted(first: string, second: string, weight: number): string {
    const { op } = this.#bound;
    const factor = this.#graph.scalar(weight);
    return this.#record(op('Add', [first, op('Mul', [second, factor])]), (g) => [
      [first, g],
      [second, op('Mul', [g, factor])],
    ]);
  }

  /** Writes the way back from a scalar and gives the gradient of each of the named values. */
  gradients(loss: string, of: readonly string[]): ReadonlyMap<string, string> {
    const gradients = new Map<string, string>([[loss, this.#graph.scalar(1)]]);
    for (const { output, backward } of this.#steps.toReversed()) {
      const gradient = gradients.get(output);
      if (gradient === undefined) continue;
      for (const [value, part] of backward(gradient)) {
        const before = gradients.get(value);
        gradients.set(value, before === undefined ? part : this.#graph.op('Add', [before, part]));
      }
    }
    return new Map(of.map((value) => [value, gradients.get(value) ?? this.#graph.scalar(0)]));
  }

  #record(output: string, backward: Backward): string {
    this.#steps.push({ output, backward });
    return output;
  }

  #sumRows(x: string): string {
    return this.#graph.op('ReduceSum', [x, this.#graph.integers([0])], { keepdims: 0 });
  }

  #meanRows(x: string): string {
    return this.#graph.op('ReduceMean', [x, this.#graph.integers([0])], { keepdims: 0 });
  }

  get #bound(): { readonly op: GraphBuilder['op'] } {
    return { op: this.#graph.op.bind(this.#graph) };
  }

  get #boundConstants(): Pick<GraphBuilder, 'scalar' | 'integers'> {
    return {
      scalar: this.#graph.scalar.bind(this.#graph),
      integers: this.#graph.integers.bind(this.#graph),
    };
  }
}
