import type { IndexKey } from './changes.ts';
import { floatsOf } from './embeddings.ts';
import {
  asImageId,
  asLabelId,
  type CollectionId,
  type ImageId,
  type LabelId,
  type TextModelId,
} from './ids.ts';
import type { Verdict } from './generated/prisma/client.ts';
import type { Queryable } from './transaction.ts';

export interface CalibrationKey {
  readonly collectionId: CollectionId;
  readonly textModelId: TextModelId;
}

export interface NewLabelCalibration {
  readonly labelId: LabelId;
  /** As in indexer/tagging/calibration.ts. */
  readonly calibration: { readonly accepted: number; readonly rejected: number };
  readonly isCalibrated: boolean;
}

/** Stores how scores become probabilities, in place of what was there. */
export async function putLabelCalibrations(
  db: Queryable,
  { collectionId, textModelId }: CalibrationKey,
  calibrations: readonly NewLabelCalibration[],
  now: Date,
): Promise<void> {
  const sorted = [...calibrations].sort((a, b) => a.labelId - b.labelId); // two writers wait in one order
  await db.query(
    `INSERT INTO label_calibrations (collection_id, text_model_id, label_id, calibration, is_calibrated, accepted, rejected, fitted_at)
     SELECT $1, $2, label_id, calibration::jsonb, is_calibrated, (calibration::jsonb->>'accepted')::int,
       (calibration::jsonb->>'rejected')::int, $6::timestamptz
     FROM unnest($3::int[], $4::text[], $5::boolean[]) AS new (label_id, calibration, is_calibrated)
     ON CONFLICT (collection_id, label_id, text_model_id) DO UPDATE SET calibration = excluded.calibration,
       is_calibrated = excluded.is_calibrated, accepted = excluded.accepted, rejected = excluded.rejected, fitted_at = excluded.fitted_at`,
    [
      ...[collectionId, textModelId, sorted.map(({ labelId }) => labelId)],
      sorted.map(({ calibration }) => JSON.stringify(calibration)),
      ...[sorted.map(({ isCalibrated }) => isCalibrated), now],
    ],
  );
}

export interface DecidedEmbedding {
  readonly imageId: ImageId;
  readonly labelId: LabelId;
  readonly verdict: Verdict;
  readonly vector: Float32Array;
}

const DECISIONS_A_PAGE = 2000;

/** What people said of the labels on a collection's images, with the images' embeddings; a page at a time. */
export async function* scanDecidedEmbeddings(
  db: Queryable,
  { collectionId, visionSpaceId }: IndexKey,
  labelIds: readonly LabelId[],
): AsyncGenerator<readonly DecidedEmbedding[]> {
  let after: readonly [string, number] = ['0', 0];
  for (;;) {
    const { rows } = await db.query<{
      image_id: string;
      label_id: number;
      verdict: Verdict;
      vector: Buffer;
    }>(
      `SELECT d.image_id, d.label_id, d.verdict, e.vector
       FROM tag_decisions d
       JOIN index_entries i ON i.vision_space_id = $2 AND i.image_id = d.image_id AND i.collection_id = $1
       JOIN embeddings e ON e.vision_space_id = $2 AND e.sha256 = i.sha256
       WHERE d.label_id = ANY($3::int[]) AND (d.image_id, d.label_id) > ($4::bigint, $5::int)
       ORDER BY d.image_id, d.label_id LIMIT $6`,
      [collectionId, visionSpaceId, labelIds, ...after, DECISIONS_A_PAGE],
    );
    const last = rows.at(-1);
    if (last === undefined) return;
    yield rows.map((row) => ({
      ...{ imageId: asImageId(row.image_id), labelId: asLabelId(row.label_id) },
      ...{ verdict: row.verdict, vector: floatsOf(row.vector) },
    }));
    after = [last.image_id, last.label_id];
  }
}
