import type { Queryable } from '../../store/transaction.ts';
import type { IndexKey } from '../../store/changes.ts';
import type { LabelId, TextModelId } from '../../store/ids.ts';
import { readSample } from '../../store/image-ranges.ts';
import { PRIOR, type Calibration } from './calibration.ts';
import type { PreparedLabels } from './prepared-labels.ts';
import { ImageScorer } from './score-images.ts';

/** Images that a label's mean and deviation are of. */
export const SAMPLE_SIZE = 2000;
/** A label without deviation (one image) would divide by zero. */
const LEAST_DEVIATION = 1e-4;

/** The same, and stores it. */
export const calibrateLabels = fitCalibrations;

/** How each label's scores become probabilities in a collection. */
export async function fitCalibrations(
  { pool }: { readonly pool: Queryable },
  { collectionId, visionSpaceId }: IndexKey & { readonly textModelId: TextModelId },
  prepared: PreparedLabels,
): Promise<ReadonlyMap<LabelId, Calibration>> {
  const { ids, vectors } = await readSample(pool, { collectionId, visionSpaceId }, SAMPLE_SIZE);
  const [sums, squares] = [0, 0].map(() => new Float64Array(prepared.labels.length));
  const scorer = await ImageScorer.load(prepared);
  try {
    for await (const { ids: rows, scores, columns } of scorer.score(ids, vectors)) {
      rows.forEach((_, row) => {
        const at = row * columns;
        const background = scores[at + columns - 1] ?? 0;
        for (let column = 0; column < columns - 1; column++) {
          const evidence = (scores[at + column] ?? 0) - background;
          if (sums) sums[column] = (sums[column] ?? 0) + evidence;
          if (squares) squares[column] = (squares[column] ?? 0) + evidence * evidence;
        }
      });
    }
  } finally {
    await scorer.dispose();
  }
  const count = Math.max(1, ids.length);
  return new Map(
    prepared.labels.map(({ id }, column) => {
      const mean = (sums?.[column] ?? 0) / count;
      const variance = (squares?.[column] ?? 0) / count - mean * mean;
      const deviation = Math.max(LEAST_DEVIATION, Math.sqrt(Math.max(0, variance)));
      return [id, { mean, deviation, ...PRIOR, accepted: 0, rejected: 0 }];
    }),
  );
}
