import { availableParallelism } from 'node:os';
import { Similarity } from '../../models/similarity.ts';
import type { CollectionId, LabelId, TextModelId, VisionSpaceId } from '../../store/ids.ts';
import {
  putLabelCalibrations,
  sampleEmbeddings,
  scanDecidedEmbeddings,
} from '../../store/label-calibrations.ts';
import type { Queryable } from '../../store/transaction.ts';
import {
  fitCalibration,
  isCalibrated,
  statisticsOf,
  type Calibration,
  type Click,
  type EvidenceStatistics,
} from './calibration.ts';

/** What is needed of prepared labels: unit vectors, one row a label, and the background. */
export interface LabelVectors {
  readonly labels: readonly { readonly id: LabelId }[];
  readonly dimensions: number;
  readonly vectors: Float32Array;
  readonly background: Float32Array;
}

export interface CalibrationScope {
  readonly collectionId: CollectionId;
  readonly visionSpaceId: VisionSpaceId;
  readonly textModelId: TextModelId;
}

export interface CalibrateServices {
  /** A pool, or a transaction's client. */
  readonly pool: Queryable;
}

/** Images the evidence's distribution is taken from. 2,000 fix a mean within 2 % of a deviation. */
const MOST_SAMPLED = 2000;
/** Labels compared with the sample at a time: 8 MB of scores. */
const LABELS_A_STEP = 1000;

/**
 * Fits how the labels' scores become probabilities in a collection, from what people said there, and stores it. Evidence is computed
 * afresh, so after a change of the text model the same clicks serve.
 */
export async function calibrateLabels(
  { pool }: CalibrateServices,
  scope: CalibrationScope,
  prepared: LabelVectors,
): Promise<ReadonlyMap<LabelId, Calibration>> {
  const statistics = await measureEvidence(pool, scope, prepared);
  const clicks = await readClicks(pool, scope, prepared);
  const fitted = prepared.labels.map(({ id }, row) => ({
    labelId: id,
    calibration: fitCalibration(clicks.get(id) ?? [], statistics[row] ?? NO_STATISTICS),
  }));
  const rows = fitted.map((one) => ({ ...one, isCalibrated: isCalibrated(one.calibration) }));
  await putLabelCalibrations(pool, scope, rows, new Date());
  return new Map(fitted.map(({ labelId, calibration }) => [labelId, calibration]));
}

const NO_STATISTICS = statisticsOf([]);

/** Of each label over the same sample of the collection. */
async function measureEvidence(
  db: Queryable,
  scope: CalibrationScope,
  { labels, vectors, background, dimensions }: LabelVectors,
): Promise<readonly EvidenceStatistics[]> {
  const images = await sampleEmbeddings(db, scope, MOST_SAMPLED);
  const count = images.length / dimensions;
  if (count === 0) return labels.map(() => NO_STATISTICS);
  const similarity = await Similarity.load(dimensions, availableParallelism());
  try {
    const grounds = await similarity.scores(images, background);
    const statistics: EvidenceStatistics[] = [];
    for (let start = 0; start < labels.length; start += LABELS_A_STEP) {
      const rows = vectors.subarray(start * dimensions, (start + LABELS_A_STEP) * dimensions);
      const scores = await similarity.scores(rows, images);
      for (let row = 0; row * count < scores.length; row++) {
        const evidence = scores.subarray(row * count, (row + 1) * count);
        statistics.push(statisticsOf(evidence.map((score, i) => score - (grounds[i] ?? 0))));
      }
    }
    return statistics;
  } finally {
    await similarity.dispose();
  }
}

async function readClicks(
  db: Queryable,
  scope: CalibrationScope,
  { labels, vectors, background, dimensions }: LabelVectors,
): Promise<ReadonlyMap<LabelId, readonly Click[]>> {
  const rowOf = new Map(labels.map(({ id }, row) => [id, row]));
  const clicks = new Map<LabelId, Click[]>();
  const ids = labels.map(({ id }) => id);
  for await (const page of scanDecidedEmbeddings(db, scope, ids)) {
    for (const { labelId, verdict, vector } of page) {
      const start = (rowOf.get(labelId) ?? 0) * dimensions;
      const label = vectors.subarray(start, start + dimensions);
      const evidence = dot(label, vector) - dot(background, vector);
      const own = clicks.get(labelId) ?? [];
      own.push({ evidence, accepted: verdict === 'ACCEPTED' });
      clicks.set(labelId, own);
    }
  }
  return clicks;
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
}
