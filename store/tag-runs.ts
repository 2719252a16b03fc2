import type { TagRunState } from './generated/prisma/client.ts';
import {
  asCollectionId,
  asJobId,
  asTagRunId,
  asTextModelId,
  asVisionSpaceId,
  asVocabularyId,
  isUuid,
  type CollectionId,
  type JobId,
  type TagRunId,
  type TextModelId,
  type VisionSpaceId,
  type VocabularyId,
} from './ids.ts';
import { storableJson } from './storable-json.ts';
import type { Queryable } from './transaction.ts';

export type { TagRunState };

/**
 * BUILDING (rows are written that nobody sees) → APPLIED (they show, all at once) → REVERTED (they are deleted). A run whose job ended
 * without applying it becomes REVERTED without ever having been applied; see tag-run-switch.ts.
 */
export interface TagRunRecord {
  readonly id: TagRunId;
  readonly collectionId: CollectionId;
  readonly vocabularyId: VocabularyId;
  readonly version: number;
  readonly visionSpaceId: VisionSpaceId;
  readonly textModelId: TextModelId;
  readonly jobId: JobId | null;
  readonly state: TagRunState;
  /** Whether its job ended without applying it. Retrying what failed brings it back for as long as its rows are kept. */
  readonly isAbandoned: boolean;
  readonly supersededById: TagRunId | null;
  readonly options: unknown;
  readonly imageCount: number;
  readonly taggedCount: number;
  readonly tagCount: number;
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly appliedAt: Date | null;
  readonly revertedAt: Date | null;
}

export interface NewTagRun {
  readonly collectionId: CollectionId;
  readonly vocabularyId: VocabularyId;
  readonly version: number;
  readonly visionSpaceId: VisionSpaceId;
  readonly textModelId: TextModelId;
  readonly jobId: JobId;
  readonly options: unknown;
  readonly createdBy: string;
  readonly createdAt: Date;
}

/** The run that a job makes; the same one however often it is asked for. */
export async function ensureTagRun(db: Queryable, run: NewTagRun): Promise<TagRunRecord> {
  const { collectionId, vocabularyId, version, visionSpaceId, textModelId, jobId } = run;
  await db.query(
    `INSERT INTO tag_runs (collection_id, vocabulary_id, version, vision_space_id, text_model_id, job_id,
       options, created_by, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (job_id) DO NOTHING`,
    [
      ...[collectionId, vocabularyId, version, visionSpaceId, textModelId, jobId],
      ...[storableJson(run.options), run.createdBy, run.createdAt],
    ],
  );
  const made = (await findTagRunsOfJobs(db, [jobId])).get(jobId);
  if (made) return made;
  throw new Error('A tag run was deleted while it was made.');
}

const SELECT = `SELECT r.id, r.collection_id, r.vocabulary_id, r.version, r.vision_space_id, r.text_model_id, r.job_id,
    r.state, r.superseded_by, r.options, r.image_count, r.tagged_count, r.tag_count, r.created_by, r.created_at,
    r.applied_at, r.reverted_at,
    CASE r.state WHEN 'BUILDING' THEN j.id IS NULL OR j.state IN ('SUCCEEDED', 'FAILED', 'CANCELLED')
      WHEN 'REVERTED' THEN r.applied_at IS NULL ELSE false END AS is_abandoned
  FROM tag_runs r LEFT JOIN jobs j ON j.id = r.job_id`;

export async function findTagRun(db: Queryable, id: string): Promise<TagRunRecord | null> {
  const [found] = isUuid(id) ? await findTagRunsByIds(db, [asTagRunId(id)]) : [];
  return found ?? null;
}

/** In no particular order; those that aren't there are left out. */
export async function findTagRunsByIds(
  db: Queryable,
  ids: readonly TagRunId[],
): Promise<readonly TagRunRecord[]> {
  const { rows } = await db.query<TagRunRow>(`${SELECT} WHERE r.id = ANY($1::uuid[])`, [ids]);
  return rows.map(toTagRun);
}

/** By the job that made it. */
export async function findTagRunsOfJobs(
  db: Queryable,
  jobIds: readonly JobId[],
): Promise<ReadonlyMap<JobId, TagRunRecord>> {
  const { rows } = await db.query<TagRunRow>(`${SELECT} WHERE r.job_id = ANY($1::uuid[])`, [
    jobIds,
  ]);
  return new Map(rows.map((row) => [asJobId(row.job_id ?? ''), toTagRun(row)]));
}

export interface TagRunFilter {
  readonly collectionId: CollectionId;
  /** Null: of any. */
  readonly vocabularyId: VocabularyId | null;
}

const IS_FILTERED = `r.collection_id = $1 AND ($2::uuid IS NULL OR r.vocabulary_id = $2)`;

/** Newest first, those older than the given one. */
export async function listTagRuns(
  db: Queryable,
  { collectionId, vocabularyId }: TagRunFilter,
  { after, limit }: { readonly after: TagRunId | null; readonly limit: number },
): Promise<readonly TagRunRecord[]> {
  const { rows } = await db.query<TagRunRow>(
    `${SELECT} WHERE ${IS_FILTERED} AND ($3::uuid IS NULL OR
       (r.created_at, r.id) < (SELECT created_at, id FROM tag_runs WHERE id = $3))
     ORDER BY r.created_at DESC, r.id DESC LIMIT $4`,
    [collectionId, vocabularyId, after, limit],
  );
  return rows.map(toTagRun);
}

export async function countTagRuns(
  db: Queryable,
  { collectionId, vocabularyId }: TagRunFilter,
): Promise<number> {
  const { rows } = await db.query<{ count: string }>(
    `SELECT count(*) FROM tag_runs r WHERE ${IS_FILTERED}`,
    [collectionId, vocabularyId],
  );
  return Number(rows[0]?.count ?? 0);
}

interface TagRunRow {
  readonly id: string;
  readonly collection_id: string;
  readonly vocabulary_id: string;
  readonly version: number;
  readonly vision_space_id: string;
  readonly text_model_id: string;
  readonly job_id: string | null;
  readonly state: TagRunState;
  readonly superseded_by: string | null;
  readonly options: unknown;
  readonly image_count: number;
  readonly tagged_count: number;
  readonly tag_count: number;
  readonly created_by: string;
  readonly created_at: Date;
  readonly applied_at: Date | null;
  readonly reverted_at: Date | null;
  readonly is_abandoned: boolean;
}

function toTagRun(row: TagRunRow): TagRunRecord {
  const { version, state, options } = row;
  return {
    ...{ id: asTagRunId(row.id), version, state, options, isAbandoned: row.is_abandoned },
    collectionId: asCollectionId(row.collection_id),
    vocabularyId: asVocabularyId(row.vocabulary_id),
    visionSpaceId: asVisionSpaceId(row.vision_space_id),
    textModelId: asTextModelId(row.text_model_id),
    jobId: row.job_id === null ? null : asJobId(row.job_id),
    supersededById: row.superseded_by === null ? null : asTagRunId(row.superseded_by),
    ...{ imageCount: row.image_count, taggedCount: row.tagged_count, tagCount: row.tag_count },
    ...{ createdBy: row.created_by, createdAt: row.created_at },
    ...{ appliedAt: row.applied_at, revertedAt: row.reverted_at },
  };
}

export interface RunLabelRecord {
  readonly label: string;
  /** Of the run's score matrix: unique in the run. */
  readonly position: number;
  readonly count: number;
  readonly threshold: number;
  readonly isCalibrated: boolean;
}

export interface RunLabelPlace {
  readonly count: number;
  readonly position: number;
}

/** Most tags first, those after the given place. */
export async function listRunLabels(
  db: Queryable,
  runId: TagRunId,
  { after, limit }: { readonly after: RunLabelPlace | null; readonly limit: number },
): Promise<readonly RunLabelRecord[]> {
  const { rows } = await db.query<RunLabelRecord>(
    `SELECT l.name AS label, r.position, coalesce(r.count, 0) AS count, r.threshold, r.is_calibrated AS "isCalibrated"
     FROM run_labels r JOIN labels l ON l.id = r.label_id
     WHERE r.run_id = $1 AND ($2::int IS NULL OR (-coalesce(r.count, 0), r.position) > (-$2::int, $3::int))
     ORDER BY -coalesce(r.count, 0), r.position LIMIT $4`,
    [runId, after?.count ?? null, after?.position ?? null, limit],
  );
  return rows;
}

export async function countRunLabels(db: Queryable, runId: TagRunId): Promise<number> {
  const { rows } = await db.query<{ count: string }>(
    'SELECT count(*) FROM run_labels WHERE run_id = $1',
    [runId],
  );
  return Number(rows[0]?.count ?? 0);
}
