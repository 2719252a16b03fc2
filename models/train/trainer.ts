import { createHash } from 'node:crypto';
import { z } from 'zod';
import { throwIfAborted } from '../../platform/errors.ts';
import { Similarity } from '../similarity.ts';
import { BatchSampler } from './batches.ts';
import { readCheckpoint, writeCheckpoint } from './checkpoint.ts';
import { measureOnDev, overallRecall, type DevMeasurement } from './dev-measurement.ts';
import { Optimizer } from './optimizer.ts';
import {
  buildProjectorGraph,
  foldProjector,
  type LinearLayer,
  type ProjectorWeights,
} from './projector-graph.ts';
import type { TrainingSettings } from './settings.ts';
import { fitStandardization, standardize, type Standardization } from './standardization.ts';
import type { TrainingData } from './training-data.ts';

export interface TrainerOptions {
  readonly settings: TrainingSettings;
  /** Width of the language features. */
  readonly featureWidth: number;
  /** Width of the shared space. */
  readonly dimensions: number;
  /** Cores to use. The same number gives the same numbers. */
  readonly threads: number;
  /** Path, without ending, of the files that a killed run goes on from: one a member. */
  readonly checkpoint: string;
  /** What besides settings and data decides the run: fingerprints of vision space and language features. */
  readonly identity: string;
  readonly signal?: AbortSignal | undefined;
  readonly onStep?: (step: number, total: number, loss: number) => void;
  /** `member` counts from 0. */
  readonly onMeasurement?: (member: number, measurement: HistoryEntry) => void;
}

const recallSchema = z.object({ r1: z.number(), r5: z.number(), r10: z.number() });
const historySchema = z.object({
  step: z.number(),
  /** Mean caption loss since the last measurement, nats. */
  loss: z.number(),
  dev: z.object({ textToImage: recallSchema, imageToText: recallSchema }),
});
export type HistoryEntry = z.infer<typeof historySchema>;
const stateSchema = z.object({ history: z.array(historySchema) });

/** What one member of the projector went through. */
export interface TrainedMember {
  readonly bestStep: number;
  readonly history: readonly HistoryEntry[];
}

export interface TrainedProjector {
  /** The best weights of all members, ready to run. */
  readonly graph: Uint8Array;
  /** What the shipped (averaged, quantised) graph measures on the dev photos. */
  readonly dev: DevMeasurement;
  readonly members: readonly TrainedMember[];
}

/**
 * Trains a projector: members one after the other, each from a seed of its own, averaged in the end. Started again after a kill
 * it goes on from the last checkpoint with the batches and dropout masks it would have had. Standardizes `data` in place.
 */
export async function trainProjector(
  data: TrainingData,
  options: TrainerOptions,
): Promise<TrainedProjector> {
  const { settings, featureWidth, dimensions, threads } = options;
  const standardization = standardizeAll(data, featureWidth);
  const similarity = await Similarity.load(dimensions, threads);
  try {
    const run = runName(data, options);
    const members: (TrainedMember & { readonly layers: readonly LinearLayer[] })[] = [];
    for (let member = 0; member < settings.members; member++) {
      members.push(await trainMember(data, { ...options, run, member }, similarity));
    }
    const layers = members.map((member) => member.layers);
    const measured = buildProjectorGraph(layers, { standardization: null, isQuantized: true });
    return {
      graph: buildProjectorGraph(layers, { standardization, isQuantized: true }),
      dev: await measureOnDev(measured, data.dev, similarity, threads),
      members: members.map(({ bestStep, history }) => ({ bestStep, history })),
    };
  } finally {
    await similarity.dispose();
  }
}

/** Apart enough that no other seed's members are the same. */
const MEMBER_SEEDS = 1_000_000;

/** Steps, a measurement on the dev photos and a checkpoint every so often, the best kept, an early end when nothing improves. */
async function trainMember(
  data: TrainingData,
  options: TrainerOptions & { readonly run: string; readonly member: number },
  similarity: Similarity,
): Promise<TrainedMember & { readonly layers: readonly LinearLayer[] }> {
  const { run, member, featureWidth, dimensions, threads } = options;
  const checkpoint = checkpointPath(options.checkpoint, member);
  const settings = { ...options.settings, seed: options.settings.seed + member * MEMBER_SEEDS };
  const widths = [
    featureWidth,
    ...Array<number>(settings.layers - 1).fill(settings.hidden),
    dimensions,
  ];
  const sampler = new BatchSampler(data, settings, featureWidth, dimensions);
  const { pairs, prototypes } = sampler;
  const optimizer = await Optimizer.create({ widths, pairs, prototypes, settings, threads });
  if (prototypes > 0 && data.prototypes) optimizer.prototypes = data.prototypes.embeddings;
  try {
    const saved = await readCheckpoint(checkpoint, run);
    const history = saved ? stateSchema.parse(saved.state).history : [];
    let best = saved ? tensorsUnder(saved.tensors, 'best/') : new Map<string, Float32Array>();
    if (saved) optimizer.restore(tensorsUnder(saved.tensors, 'now/'));

    const all = settings.steps * settings.members;
    let losses: number[] = [];
    for (
      let step = saved?.step ?? 0;
      step < settings.steps && !isStale(history, settings);
      step++
    ) {
      throwIfAborted(options.signal);
      const loss = await optimizer.step(step, sampler.batch(step));
      losses.push(loss);
      options.onStep?.(member * settings.steps + step + 1, all, loss);
      if ((step + 1) % settings.evaluateEvery !== 0 && step + 1 !== settings.steps) continue;

      const graph = buildProjectorGraph([foldProjector(optimizer.weights, widths)], {
        standardization: null,
        isQuantized: false,
      });
      const dev = await measureOnDev(graph, data.dev, similarity, threads);
      const entry = { step: step + 1, loss: mean(losses), dev };
      losses = [];
      history.push(entry);
      if (bestOf(history) === entry) best = copyOf(optimizer.weights);
      options.onMeasurement?.(member, entry);
      const tensors = new Map([...prefixed(optimizer.state, 'now/'), ...prefixed(best, 'best/')]);
      await writeCheckpoint(checkpoint, { run, step: step + 1, state: { history }, tensors });
    }
    return { layers: foldProjector(best, widths), bestStep: bestOf(history)?.step ?? 0, history };
  } finally {
    await optimizer.dispose();
  }
}

/** A member's checkpoint stays until the whole projector is done. */
export function checkpointPath(checkpoint: string, member: number): string {
  return `${checkpoint}-${member + 1}.bin`;
}

function standardizeAll({ train, dev, prototypes }: TrainingData, width: number): Standardization {
  const standardization = fitStandardization(train.captions, width);
  standardize(train.captions, standardization);
  standardize(dev.captions, standardization);
  if (prototypes) standardize(prototypes.texts, standardization);
  return standardization;
}

/** Names everything a run depends on, so that a checkpoint is never continued with other data or settings. */
function runName(
  { train, dev, prototypes }: TrainingData,
  { settings, identity }: TrainerOptions,
): string {
  const hash = createHash('sha256').update(JSON.stringify([settings, identity]));
  for (const values of [
    train.captions,
    dev.captions,
    ...train.views,
    ...dev.views,
    prototypes?.texts,
  ]) {
    if (values) hash.update(values);
  }
  return hash.digest('hex');
}

function bestOf(history: readonly HistoryEntry[]): HistoryEntry | undefined {
  return history.reduce<HistoryEntry | undefined>(
    (best, entry) => (best && overallRecall(best.dev) >= overallRecall(entry.dev) ? best : entry),
    undefined,
  );
}

function isStale(history: readonly HistoryEntry[], { patience }: TrainingSettings): boolean {
  const best = bestOf(history);
  return best !== undefined && history.length - 1 - history.indexOf(best) >= patience;
}

function prefixed(
  tensors: ReadonlyMap<string, Float32Array>,
  prefix: string,
): [string, Float32Array][] {
  return [...tensors].map(([name, values]) => [prefix + name, values]);
}

function tensorsUnder(
  tensors: ReadonlyMap<string, Float32Array>,
  prefix: string,
): Map<string, Float32Array> {
  const found = [...tensors].filter(([name]) => name.startsWith(prefix));
  return new Map(found.map(([name, values]) => [name.slice(prefix.length), values]));
}

function copyOf(weights: ProjectorWeights): Map<string, Float32Array> {
  return new Map([...weights].map(([name, values]) => [name, Float32Array.from(values)]));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
