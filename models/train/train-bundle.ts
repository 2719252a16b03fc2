import { rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { makeFolder } from '../../platform/make-folder.ts';
import type { Bundle } from '../bundle.ts';
import { BundleWriter } from '../bundle-writer.ts';
import type { TrainingSettings } from './settings.ts';
import { trainProjector, type HistoryEntry, type TrainedProjector } from './trainer.ts';
import { loadTrainingData, type FeaturePhase } from './training-data.ts';

const PROJECTOR = 'projector.onnx';
/** Where a run keeps what it needs to go on; removed when the bundle is complete. */
const WORK_FOLDER = 'training';

export interface TrainBundleOptions {
  /** Gives the frozen parts: vision, language, tokenizer, templates, label prototypes. */
  readonly base: Bundle;
  readonly dataset: string;
  readonly trainSplit: string;
  readonly devSplit: string;
  /** The new bundle's folder. */
  readonly out: string;
  /** The new text model's version. */
  readonly version: number;
  /** Folder of the feature cache; by default inside `out`, and removed at the end. */
  readonly cache?: string | undefined;
  readonly settings: TrainingSettings;
  readonly signal?: AbortSignal | undefined;
  readonly onFeatures?: (phase: FeaturePhase, done: number, total: number) => void;
  readonly onStep?: (step: number, total: number, loss: number) => void;
  readonly onMeasurement?: (member: number, measurement: HistoryEntry) => void;
  readonly onSkipped?: (path: string, reason: string) => void;
}

/**
 * Trains a projector for a bundle's frozen parts and writes a complete bundle with it. Killed and called again with the same
 * options it goes on: features are cached, training has checkpoints, and the manifest is the last file written.
 */
export async function trainBundle(options: TrainBundleOptions): Promise<TrainedProjector> {
  const { base, out, settings, signal } = options;
  const writer = await BundleWriter.create(out);
  const work = join(out, WORK_FOLDER);
  await makeFolder(work);
  const data = await loadTrainingData(base, {
    ...options,
    withPrototypes: settings.prototypeWeight > 0,
    cache: options.cache ?? join(work, 'features'),
    onProgress: (phase, done, total) => options.onFeatures?.(phase, done, total),
  });
  for (const { path, error } of data.skipped) options.onSkipped?.(path, error.message);

  const trained = await trainProjector(data, {
    ...options,
    featureWidth: base.manifest.language.dimensions,
    dimensions: base.manifest.vision.dimensions,
    threads: availableParallelism(),
    checkpoint: join(work, 'checkpoint'),
    identity: `${base.visionSpace} ${base.languageFeatures}`,
    signal,
  });
  await writeBundle(options, writer, trained);
  await rm(work, { recursive: true, force: true });
  return trained;
}

async function writeBundle(
  { base, version, settings }: TrainBundleOptions,
  writer: BundleWriter,
  trained: TrainedProjector,
): Promise<void> {
  const { card, ...kept } = base.manifest;
  const dropped = new Set([...(kept.projector?.graph ?? []), card]);
  for (const name of Object.keys(kept.files)) {
    if (!dropped.has(name)) await writer.copy(base, name);
  }
  await writer.finish({
    ...kept,
    version,
    projector: {
      graph: await writer.writeGraph(PROJECTOR, trained.graph),
      training: {
        settings: { ...settings },
        members: trained.members.map(({ bestStep, history }) => ({
          bestStep,
          history: [...history],
        })),
      },
    },
    metrics: { dev: { ...trained.dev } },
  });
}
