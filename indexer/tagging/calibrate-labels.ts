import { availableParallelism } from 'node:os';
import { Similarity } from '../../models/similarity.ts';
import type { IndexKey } from '../../store/changes.ts';
import type { LabelId, TextModelId } from '../../store/ids.ts';
import { readSample } from '../../store/image-ranges.ts';
import { putLabelCalibrations, scanDecidedEmbeddings } from '../../store/label-calibrations.ts';
import { countVocabulariesOf } from '../../store/label-names.ts';
import type { Queryable } from '../../store/transaction.ts';
import {
  evidenceOf,
  fitCalibration,
  isCalibrated,
  PRIOR,
  priorOf,
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

export interface CalibrationScope extends IndexKey {
  readonly textModelId: TextModelId;
}

export interface CalibrateServices {
  /** A pool, or a transaction's client. */
  readonly pool: Queryable;
}

/** Images the evidence's distribution is taken from. 2,000 fix a mean within 2 % of a deviation. */
export const SAMPLE_SIZE = 2000;
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
  const fitted = await fitCalibrations({ pool }, scope, prepared);
  const rows = [...fitted].map(([labelId, calibration]) => ({
    ...{ labelId, calibration, isCalibrated: isCalibrated(calibration) },
  }));
  await putLabelCalibrations(pool, scope, rows, new Date());
  return fitted;
}

/** The same, and stores nothing: for labels that may be of no vocabulary. */
export async function fitCalibrations(
  { pool }: CalibrateServices,
  scope: IndexKey,
  prepared: LabelVectors,
): Promise<ReadonlyMap<LabelId, Calibration>> {
  const statistics = await measureEvidence(pool, scope, prepared);
  const clicks = await readClicks(pool, scope, prepared);
  const ids = prepared.labels.map(({ id }) => id);
  const sizes = await countVocabulariesOf(pool, ids);
  return new Map(
    ids.map((id, row) => {
      const size = sizes.get(id);
      const prior = size === undefined ? PRIOR : priorOf(size);
      const own = statistics[row] ?? NO_STATISTICS;
      return [id, fitCalibration(clicks.get(id) ?? [], own, prior)];
    }),
  );
}

const NO_STATISTICS = statisticsOf([]);

/** Of each label over the same sample of the collection. */
async function measureEvidence(
  db: Queryable,
  scope: IndexKey,
  { labels, vectors, background, dimensions }: LabelVectors,
): Promise<readonly EvidenceStatistics[]> {
  const { vectors: images, ids } = await readSample(db, scope, SAMPLE_SIZE);
  const count = ids.length;
  if (count === 0) return labels.map(() => NO_STATISTICS);
  const similarity = await Similarity.load(dimensions, availableParallelism());
  try {
    const grounds = await similarity.scores(images, background);
    const statistics: EvidenceStatistics[] = [];
    for (let start = 0; start < labels.length; start += LABELS_A_STEP) {
      const rows = vectors.subarray(start * dimensions, (start + LABELS_A_STEP) * dimensions);
      const scores = await similarity.scores(rows, images);
      for (let row = 0; row * count < scores.length; row++) {
        const own = scores.subarray(row * count, (row + 1) * count);
        statistics.push(statisticsOf(own.map((score, i) => evidenceOf(score, grounds[i] ?? 0))));
      }
    }
    return statistics;
  } finally {
    await similarity.dispose();
  }
}

async function readClicks(
  db: Queryable,
  scope: IndexKey,
  { labels, vectors, background, dimensions }: LabelVectors,
): Promise<ReadonlyMap<LabelId, readonly Click[]>> {
  const rowOf = new Map(labels.map(({ id }, row) => [id, row]));
  const clicks = new Map<LabelId, Click[]>();
  const ids = labels.map(({ id }) => id);
  for await (const page of scanDecidedEmbeddings(db, scope, ids)) {
    for (const { labelId, verdict, vector } of page) {
      const start = (rowOf.get(labelId) ?? 0) * dimensions;
      const label = vectors.subarray(start, start + dimensions);
      const evidence = evidenceOf(dot(label, vector), dot(background, vector));
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
