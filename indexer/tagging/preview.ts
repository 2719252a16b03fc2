import { setImmediate as letOthers } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { ImageId } from '../../store/ids.ts';
import type { LabelRecord } from '../../store/vocabularies.ts';
import { isCalibrated } from './calibration.ts';
import { TagChooser } from './choose-tags.ts';
import { LabelSamples } from './label-samples.ts';
import { prepareRun, type PreparedRun, type RunOptions, type RunTarget } from './prepare-run.ts';
import type { LabelEncoder, PrepareOptions } from './prepared-labels.ts';
import { ImageScorer } from './score-images.ts';

/** An image that a preview shows for a label. */
export interface TagSampleRecord {
  readonly imageId: ImageId;
  /** Cosine. */
  readonly score: number;
  readonly probability: number;
  readonly isTagged: boolean;
}

export interface LabelPreviewRecord {
  readonly label: string;
  /** Tags the run would give. */
  readonly count: number;
  readonly threshold: number;
  readonly isCalibrated: boolean;
  /** The most probable, best first. */
  readonly best: readonly TagSampleRecord[];
  /** Nearest to the threshold, by falling probability. */
  readonly borderline: readonly TagSampleRecord[];
}

export interface RunPreview {
  readonly images: number;
  readonly tagged: number;
  readonly tags: number;
  /** Most tags first. */
  readonly labels: readonly LabelPreviewRecord[];
  readonly estimatedSeconds: number;
}

/** Writing a tag takes about so long. */
const SECONDS_A_TAG = 15e-6;

/**
 * What a run would do: the same images in the same ranges, the same arithmetic and the same choice, so that its counts are the run's. Only
 * the labels' vectors are written, which the run then finds. Throws `ABORTED`.
 */
export async function previewRun(
  services: { readonly pool: Pool; readonly texts: LabelEncoder },
  target: Omit<RunTarget, 'vocabularyId' | 'version'>,
  labels: readonly LabelRecord[],
  options: RunOptions & PrepareOptions,
): Promise<RunPreview> {
  const run = await prepareRun(services, target, labels, { ...options, isKept: false });
  const startedAt = performance.now();
  const samples = new LabelSamples(run.rules);
  const chooser = new TagChooser(run.rules, options, { seed: '', visitor: samples });
  await lookAtAll(services.pool, run, chooser, options.signal);
  const { images, tagged, tags } = chooser;
  const seconds = (performance.now() - startedAt) / 1000;
  return {
    ...{ images, tagged, tags, estimatedSeconds: seconds + tags * SECONDS_A_TAG },
    labels: describe(run, chooser, samples),
  };
}

async function lookAtAll(
  pool: Pool,
  { images, ranges, prepared }: PreparedRun,
  chooser: TagChooser,
  signal: AbortSignal | undefined,
): Promise<void> {
  const scorer = await ImageScorer.load(prepared);
  try {
    for (const range of ranges) {
      for await (const block of scorer.scoreRange(pool, images, range, signal)) {
        chooser.add(block);
        chooser.chosen.clear();
        await letOthers();
      }
    }
  } finally {
    await scorer.dispose();
  }
}

function describe(
  { rules, prepared }: PreparedRun,
  chooser: TagChooser,
  samples: LabelSamples,
): readonly LabelPreviewRecord[] {
  const all = rules.map(({ threshold, calibration }, column) => ({
    ...{ label: prepared.labels[column]?.name ?? '', count: chooser.counts[column] ?? 0 },
    ...{ threshold, isCalibrated: isCalibrated(calibration) },
    ...{ best: samples.bestOf(column), borderline: samples.borderlineOf(column) },
  }));
  return all.sort((a, b) => b.count - a.count);
}
