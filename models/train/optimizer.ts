import { Random } from '../../platform/random.ts';
import { OnnxSession, Tensor, type Feeds } from '../onnx-session.ts';
import { fillDropoutMask, type Batch } from './batches.ts';
import type { ProjectorWeights } from './projector-graph.ts';
import { learningRateAt, type TrainingSettings } from './settings.ts';
import {
  buildTrainingGraph,
  layersOf,
  projectorParameters,
  type Parameter,
} from './training-graph.ts';

const BETA1 = 0.9;
const BETA2 = 0.999;
/** Share of a new batch's statistics in the running ones, as PyTorch's BatchNorm1d. */
const MOMENTUM = 0.1;
/** The tensors of each parameter: its value and Adam's two moments. */
const PARTS = ['', 'm/', 'v/'] as const;

export interface OptimizerOptions {
  readonly widths: readonly number[];
  readonly pairs: number;
  readonly prototypes: number;
  readonly settings: TrainingSettings;
  readonly threads: number;
}

/**
 * The projector in training: weights, Adam's moments and batch-norm statistics, and the graph that moves them one step.
 * Two sets of tensors take turns as the graph's input and output, so that a step allocates nothing large.
 */
export class Optimizer {
  readonly #session: OnnxSession;
  readonly #options: OptimizerOptions;
  readonly #parameters: readonly Parameter[];
  readonly #masks: ReadonlyMap<string, Float32Array>;
  readonly #statistics: Map<string, Float32Array>;
  #current: ReadonlyMap<string, Float32Array>;
  #spare: ReadonlyMap<string, Float32Array>;

  private constructor(session: OnnxSession, options: OptimizerOptions) {
    const { widths, pairs, prototypes, settings } = options;
    this.#session = session;
    this.#options = options;
    this.#parameters = projectorParameters({ widths });
    this.#current = initialTensors(this.#parameters, settings.seed);
    this.#spare = new Map(
      [...this.#current].map(([name, { length }]) => [name, new Float32Array(length)]),
    );
    const hidden = layersOf(widths).filter(({ isLast }) => !isLast);
    this.#masks = new Map(
      hidden.map(({ number, to }) => [
        `mask.${number}`,
        new Float32Array((pairs + prototypes) * to),
      ]),
    );
    this.#statistics = new Map(
      hidden.flatMap(({ number, to }) => [
        [`mean.${number}`, new Float32Array(to)],
        [`variance.${number}`, new Float32Array(to).fill(1)],
      ]),
    );
  }

  static async create(options: OptimizerOptions): Promise<Optimizer> {
    const { widths, pairs, prototypes, settings, threads } = options;
    const graph = buildTrainingGraph({ ...settings, widths, pairs, prototypes });
    return new Optimizer(await OnnxSession.load(graph, { threads }), options);
  }

  /** Moves the weights by one batch; gives the captions' loss in nats. `step` counts from 0. */
  async step(step: number, { features, targets }: Batch): Promise<number> {
    const { widths, pairs, prototypes, settings } = this.#options;
    const dimensions = widths.at(-1) ?? 0;
    const rows = pairs + prototypes;
    const random = new Random('dropout', settings.seed, step);
    const feeds: Record<string, Tensor> = {
      features: new Tensor('float32', features, [rows, widths[0] ?? 0]),
      targets: new Tensor('float32', targets, [pairs, dimensions]),
      learningRate: scalar(learningRateAt(step, settings)),
      correction1: scalar(1 - BETA1 ** (step + 1)),
      correction2: scalar(1 - BETA2 ** (step + 1)),
      ...this.#constantFeeds,
    };
    for (const [name, mask] of this.#masks) {
      fillDropoutMask(mask, settings.dropout, random);
      feeds[name] = new Tensor('float32', mask, [rows, mask.length / rows]);
    }
    const into: Record<string, Tensor> = { loss: scalar(0), captionLoss: scalar(0) };
    for (const { name, dims } of this.#parameters) {
      for (const part of PARTS) {
        feeds[part + name] = tensorOf(this.#current, part + name, dims);
        into[`next/${part}${name}`] = tensorOf(this.#spare, part + name, dims);
      }
    }
    for (const [name, { length }] of this.#statistics) {
      into[name] = new Tensor('float32', new Float32Array(length), [length]);
    }
    const outputs = await this.#session.run(feeds, into);
    [this.#current, this.#spare] = [this.#spare, this.#current];
    this.#updateStatistics(outputs, rows);
    return Number(outputs['captionLoss']?.data[0]);
  }

  /** Label prototypes are the same in every step. */
  set prototypes(embeddings: Float32Array) {
    const { prototypes, widths } = this.#options;
    const dims = [prototypes, widths.at(-1) ?? 0];
    this.#constantFeeds = { prototypes: new Tensor('float32', embeddings, dims) };
  }
  #constantFeeds: Feeds = {};

  /** What the projector is now: trained tensors and running statistics. Shared memory: copy what must last. */
  get weights(): ProjectorWeights {
    const trained = this.#parameters.map(({ name }) => [name, this.#current.get(name)] as const);
    return new Map(
      [...trained, ...this.#statistics].flatMap(([name, values]) =>
        values ? [[name, values]] : [],
      ),
    );
  }

  /** All a later run needs to go on. */
  get state(): ReadonlyMap<string, Float32Array> {
    return new Map([...this.#current, ...this.#statistics]);
  }

  restore(state: ReadonlyMap<string, Float32Array>): void {
    for (const [name, values] of [...this.#current, ...this.#statistics]) {
      const saved = state.get(name);
      if (saved?.length !== values.length)
        throw new Error(`The checkpoint has no fitting ${name}.`);
      values.set(saved);
    }
  }

  dispose(): Promise<void> {
    return this.#session.dispose();
  }

  #updateStatistics(outputs: Feeds, rows: number): void {
    for (const [name, running] of this.#statistics) {
      const batch = outputs[name]?.data;
      if (!(batch instanceof Float32Array)) throw new Error(`The training graph gave no ${name}.`);
      const unbiased = name.startsWith('variance') ? rows / (rows - 1) : 1;
      running.forEach((value, i) => {
        running[i] = (1 - MOMENTUM) * value + MOMENTUM * unbiased * (batch[i] ?? 0);
      });
    }
  }
}

/** Weights as PyTorch's Linear starts them (uniform within 1 / sqrt(inputs)), batch norms as identity, moments 0. */
function initialTensors(
  parameters: readonly Parameter[],
  seed: number,
): ReadonlyMap<string, Float32Array> {
  const tensors = new Map<string, Float32Array>();
  let bound = 0;
  for (const { name, dims } of parameters) {
    const values = new Float32Array(dims.reduce((a, b) => a * b, 1));
    if (name.endsWith('.weight')) bound = 1 / Math.sqrt(dims[0] ?? 1);
    if (name.endsWith('.gamma')) {
      values.fill(1);
    } else if (!name.endsWith('.beta')) {
      const random = new Random('weights', seed, name);
      for (let i = 0; i < values.length; i++) values[i] = (2 * random.uniform() - 1) * bound;
    }
    tensors.set(name, values);
    tensors.set(`m/${name}`, new Float32Array(values.length));
    tensors.set(`v/${name}`, new Float32Array(values.length));
  }
  return tensors;
}

function tensorOf(
  from: ReadonlyMap<string, Float32Array>,
  name: string,
  dims: readonly number[],
): Tensor {
  const values = from.get(name);
  if (!values) throw new Error(`There is no tensor ${name}.`);
  return new Tensor('float32', values, dims);
}

function scalar(value: number): Tensor {
  return new Tensor('float32', Float32Array.of(value), []);
}
