import { hexOf, floatsOf } from './embeddings.ts';
import { asLabelId, type CollectionId, type ImageId, type LabelId, type TagRunId } from './ids.ts';
import { storableJson } from './storable-json.ts';
import type { TagRunRecord } from './tag-runs.ts';
import type { Queryable } from './transaction.ts';
import { chunk } from '../platform/chunk.ts';

/*
 * What a run goes by and what it writes while it is BUILDING. Nobody sees it before it is applied (tag-run-switch.ts).
 */

/** What a run goes by for a label. */
export interface NewRunLabel {
  readonly labelId: LabelId;
  readonly threshold: number;
  readonly calibration: object;
  readonly isCalibrated: boolean;
  /** By stratum of probability: chances of becoming a sample. */
  readonly rates: readonly number[];
  /** Of its row in `label_vectors`. */
  readonly vectorSha256: Uint8Array;
}

const ROWS_A_STATEMENT = 2000;

/** Fixes what the run goes by, in the order of the score matrix's columns, anew where planning broke off before. */
export async function putRunLabels(
  db: Queryable,
  runId: TagRunId,
  labels: readonly NewRunLabel[],
): Promise<void> {
  await db.query('DELETE FROM run_labels WHERE run_id = $1', [runId]);
  const rows = labels.map(({ vectorSha256, ...label }, position) => ({
    ...{ ...label, position, hash: hexOf(vectorSha256) },
  }));
  for (const some of chunk(rows, ROWS_A_STATEMENT)) {
    await db.query(
      `INSERT INTO run_labels (run_id, label_id, position, threshold, calibration, is_calibrated, rates, vector_sha256)
       SELECT $1, "labelId", position, threshold, calibration, "isCalibrated", rates, decode(hash, 'hex')
       FROM jsonb_to_recordset($2::jsonb) AS new("labelId" int, position int, threshold float8, calibration jsonb,
         "isCalibrated" boolean, rates jsonb, hash text)`,
      [runId, storableJson(some)],
    );
  }
}

export interface StoredRunLabel {
  readonly labelId: LabelId;
  readonly threshold: number;
  readonly calibration: unknown;
  readonly rates: unknown;
  /** Null: it isn't kept any more. */
  readonly vector: Float32Array | null;
}

/** In the order of the columns. */
export async function readRunLabels(
  db: Queryable,
  { id, textModelId }: Pick<TagRunRecord, 'id' | 'textModelId'>,
): Promise<readonly StoredRunLabel[]> {
  const { rows } = await db.query<RunLabelRow>(
    `SELECT r.label_id, r.threshold, r.calibration, r.rates, v.vector
     FROM run_labels r LEFT JOIN label_vectors v ON v.text_model_id = $2 AND v.sha256 = r.vector_sha256
     WHERE r.run_id = $1 ORDER BY r.position`,
    [id, textModelId],
  );
  return rows.map(({ label_id: labelId, threshold, calibration, rates, vector }) => ({
    ...{ labelId: asLabelId(labelId), threshold, calibration, rates },
    vector: vector === null ? null : floatsOf(vector),
  }));
}

interface RunLabelRow {
  readonly label_id: number;
  readonly threshold: number;
  readonly calibration: unknown;
  readonly rates: unknown;
  readonly vector: Buffer | null;
}

/** Which of a collection's images are there; they stay until the transaction ends. */
export async function keepImages(
  client: Queryable,
  collectionId: CollectionId,
  ids: readonly ImageId[],
): Promise<ReadonlySet<ImageId>> {
  const { rows } = await client.query<{ id: string }>(
    `SELECT id FROM images WHERE collection_id = $1 AND id = ANY($2::bigint[]) ORDER BY path FOR KEY SHARE`,
    [collectionId, ids],
  );
  return new Set(rows.map(({ id }) => BigInt(id) as ImageId));
}

/** Pairs of image and label as columns. */
export interface PairColumns {
  readonly imageIds: readonly ImageId[];
  readonly labelIds: readonly LabelId[];
  readonly scores: readonly number[];
  readonly probabilities: readonly number[];
  /** Of a tag: 1 where it is implied. Of a sample: its stratum. */
  readonly marks: readonly number[];
}

/**
 * Writes a run's tags: arrays that Postgres unfolds. COPY takes 0.8 to 0.9 of the time (half a million rows, psql), because the two
 * indexes take most of it, and would need a library.
 */
export function addRunTags(client: Queryable, runId: TagRunId, rows: PairColumns): Promise<void> {
  const columns = '(image_id, label_id, run_id, score, probability, is_implied)';
  return addPairs(
    client,
    runId,
    rows,
    `INSERT INTO run_tags ${columns}
    SELECT image, label, $1, score, probability, mark = 1`,
  );
}

/** Writes images below a label's threshold that were drawn. */
export function addRunSamples(
  client: Queryable,
  runId: TagRunId,
  rows: PairColumns,
): Promise<void> {
  const columns = '(image_id, label_id, run_id, score, probability, stratum)';
  return addPairs(
    client,
    runId,
    rows,
    `INSERT INTO run_samples ${columns}
    SELECT image, label, $1, score, probability, mark`,
  );
}

async function addPairs(
  client: Queryable,
  runId: TagRunId,
  { imageIds, labelIds, scores, probabilities, marks }: PairColumns,
  insert: string,
): Promise<void> {
  if (imageIds.length === 0) return;
  await client.query(
    `${insert} FROM unnest($2::bigint[], $3::int[], $4::real[], $5::real[], $6::smallint[])
       AS new(image, label, score, probability, mark)`,
    [runId, imageIds, labelIds, scores, probabilities, marks],
  );
}

/** What one range of a run's images came to. */
export interface RangeCounts {
  readonly images: number;
  readonly tagged: number;
  readonly tags: number;
  /** Tags by column. */
  readonly counts: readonly number[];
  /** Images by column and stratum of probability. */
  readonly strata: readonly number[];
}

export async function putRange(
  client: Queryable,
  runId: TagRunId,
  number: number,
  counts: RangeCounts,
): Promise<void> {
  await client.query(
    `INSERT INTO run_ranges (run_id, number, counts) VALUES ($1, $2, $3)
     ON CONFLICT (run_id, number) DO UPDATE SET counts = excluded.counts`,
    [runId, number, storableJson(counts)],
  );
}

const RANGES_A_PAGE = 20;

/** The ranges so far, one after the other. */
export async function* readRanges(
  db: Queryable,
  runId: TagRunId,
): AsyncGenerator<RangeCounts, void> {
  let after = -1;
  for (;;) {
    const { rows } = await db.query<{ number: number; counts: RangeCounts }>(
      `SELECT number, counts FROM run_ranges WHERE run_id = $1 AND number > $2 ORDER BY number LIMIT $3`,
      [runId, after, RANGES_A_PAGE],
    );
    for (const { counts } of rows) yield counts;
    const last = rows.at(-1);
    if (last === undefined) return;
    after = last.number;
  }
}
