import type { Verdict } from './generated/prisma/client.ts';
import {
  asLabelId,
  asTagRunId,
  type CollectionId,
  type LabelId,
  type TagRunId,
  type VocabularyId,
} from './ids.ts';
import type { Queryable } from './transaction.ts';

/*
 * What a report on a tag run is made of; the estimates are made in indexer/tagging/report.ts.
 */

/** The newest run whose tags show, of a vocabulary or (null) of any; null when none does. */
export async function findNewestShownRun(
  db: Queryable,
  collectionId: CollectionId,
  vocabularyId: VocabularyId | null,
): Promise<TagRunId | null> {
  const { rows } = await db.query<{ id: string }>(
    `SELECT id FROM tag_runs WHERE collection_id = $1 AND ($2::uuid IS NULL OR vocabulary_id = $2)
       AND state = 'APPLIED' AND superseded_by IS NULL
     ORDER BY applied_at DESC, id DESC LIMIT 1`,
    [collectionId, vocabularyId],
  );
  return rows[0] ? asTagRunId(rows[0].id) : null;
}

export interface ReportedLabel {
  readonly labelId: LabelId;
  readonly label: string;
  readonly count: number;
  readonly threshold: number;
  readonly isCalibrated: boolean;
  /** Images by stratum of probability, tagged or not. */
  readonly strata: unknown;
}

/** Most tags first. */
export async function readReportedLabels(
  db: Queryable,
  runId: TagRunId,
): Promise<readonly ReportedLabel[]> {
  const { rows } = await db.query<Omit<ReportedLabel, 'labelId'> & { labelId: number }>(
    `SELECT r.label_id AS "labelId", l.name AS label, coalesce(r.count, 0) AS count, r.threshold,
       r.is_calibrated AS "isCalibrated", r.strata
     FROM run_labels r JOIN labels l ON l.id = r.label_id WHERE r.run_id = $1
     ORDER BY coalesce(r.count, 0) DESC, r.position`,
    [runId],
  );
  return rows.map((row) => ({ ...row, labelId: asLabelId(row.labelId) }));
}

export interface TaggedStratum {
  readonly labelId: LabelId;
  /** From 0. */
  readonly stratum: number;
  readonly count: number;
}

/** A run's tags by label and stratum; `strata`: their lower bounds. */
export async function countTaggedStrata(
  db: Queryable,
  runId: TagRunId,
  strata: readonly number[],
): Promise<readonly TaggedStratum[]> {
  const { rows } = await db.query<{ label_id: number; stratum: number; count: number }>(
    `SELECT label_id, greatest(0, width_bucket(probability::float8, $2::float8[]) - 1) AS stratum, count(*)::int AS count
     FROM run_tags WHERE run_id = $1 GROUP BY 1, 2`,
    [runId, strata],
  );
  return rows.map(({ label_id: labelId, stratum, count }) => ({
    ...{ labelId: asLabelId(labelId), stratum, count },
  }));
}

export interface RunVerdict {
  readonly labelId: LabelId;
  readonly verdict: Verdict;
  /** Asked for at random. */
  readonly isSampled: boolean;
  readonly isTagged: boolean;
  /** As the run had it; null where it neither gave nor drew the pair. */
  readonly probability: number | null;
}

/** What people said of a run's labels in its collection. */
export async function readRunVerdicts(
  db: Queryable,
  runId: TagRunId,
): Promise<readonly RunVerdict[]> {
  const { rows } = await db.query<Omit<RunVerdict, 'labelId'> & { labelId: number }>(
    `SELECT d.label_id AS "labelId", d.verdict, d.is_sampled AS "isSampled", t.image_id IS NOT NULL AS "isTagged",
       coalesce(t.probability, s.probability) AS probability
     FROM tag_runs r JOIN run_labels l ON l.run_id = r.id JOIN tag_decisions d ON d.label_id = l.label_id
     JOIN images i ON i.id = d.image_id AND i.collection_id = r.collection_id
     LEFT JOIN run_tags t ON t.image_id = d.image_id AND t.label_id = d.label_id AND t.run_id = r.id
     LEFT JOIN run_samples s ON s.image_id = d.image_id AND s.label_id = d.label_id AND s.run_id = r.id
     WHERE r.id = $1`,
    [runId],
  );
  return rows.map((row) => ({ ...row, labelId: asLabelId(row.labelId) }));
}

export interface ConfusionRow {
  readonly labelId: LabelId;
  readonly label: string;
  readonly count: number;
}

const MOST_CONFUSIONS = 5;

/** For each label of a run: the labels of its vocabulary that images have for which it was rejected, most frequent first. */
export async function countConfusions(
  db: Queryable,
  runId: TagRunId,
): Promise<readonly ConfusionRow[]> {
  const { rows } = await db.query<{ labelId: number; label: string; count: number }>(
    `WITH wrong AS MATERIALIZED (
       SELECT d.image_id, d.label_id FROM tag_runs r JOIN run_labels l ON l.run_id = r.id
       JOIN tag_decisions d ON d.label_id = l.label_id AND d.verdict = 'REJECTED'
       JOIN images i ON i.id = d.image_id AND i.collection_id = r.collection_id
       WHERE r.id = $1),
     had AS (
       SELECT w.label_id, t.label_id AS other FROM wrong w JOIN image_tags t ON t.image_id = w.image_id
       JOIN run_labels l ON l.run_id = $1 AND l.label_id = t.label_id),
     ranked AS (
       SELECT label_id, other, count(*)::int AS count,
         row_number() OVER (PARTITION BY label_id ORDER BY count(*) DESC, other) AS place
       FROM had GROUP BY label_id, other)
     SELECT r.label_id AS "labelId", l.name AS label, r.count
     FROM ranked r JOIN labels l ON l.id = r.other WHERE r.place <= $2 ORDER BY r.label_id, r.place`,
    [runId, MOST_CONFUSIONS],
  );
  return rows.map((row) => ({ ...row, labelId: asLabelId(row.labelId) }));
}
