import { asImageId, type CollectionId, type LabelId, type VocabularyId } from './ids.ts';
import { withoutNul } from './label-names.ts';
import type { Queryable } from './transaction.ts';
import type { LabelRecord } from './vocabularies.ts';

/** A state of a vocabulary. */
export interface VersionKey {
  readonly vocabularyId: VocabularyId;
  readonly version: number;
}

/** Labels as versions define them; those of open vocabularies have no definitions, and are ordered as they came. */
const LABELS = `(
  SELECT l.id, l.name, d.vocabulary_id, d.version, d.position, d.prompts, d.negative_prompts,
    d.example_image_ids, d.threshold, d.parent_ids
  FROM label_definitions d JOIN labels l ON l.id = d.label_id
  UNION ALL
  SELECT l.id, l.name, l.vocabulary_id, 1, l.id, '{}'::text[], '{}'::text[], '{}'::bigint[], NULL, '{}'::int[]
  FROM labels l JOIN vocabularies v ON v.id = l.vocabulary_id WHERE v.is_open) labels`;

const COLUMNS = `id, name, vocabulary_id AS "vocabularyId", version, position, prompts,
  negative_prompts AS "negativePrompts", example_image_ids AS "exampleImageIds", threshold,
  parent_ids AS "parentIds"`;

/** What Postgres gives: numbers of 64 bits as text. */
type Row = Omit<LabelRecord, 'exampleImageIds'> & { readonly exampleImageIds: readonly string[] };

function toRecord(row: Row): LabelRecord {
  return { ...row, exampleImageIds: row.exampleImageIds.map(asImageId) };
}

/** All labels of a version in their order. */
export async function readLabels(
  db: Queryable,
  { vocabularyId, version }: VersionKey,
): Promise<readonly LabelRecord[]> {
  const { rows } = await db.query<Row>(
    `SELECT ${COLUMNS} FROM ${LABELS} WHERE vocabulary_id = $1 AND version = $2 ORDER BY position`,
    [vocabularyId, version],
  );
  return rows.map(toRecord);
}

export interface LabelPage {
  /** Positions after this one. */
  readonly after: number | null;
  readonly limit: number;
  /** Only names that contain this, whatever the case. */
  readonly search: string | null;
  /** Only labels that images of these collections have from a file or a person; null: all. */
  readonly usedIn: readonly CollectionId[] | null;
}

const IS_FOUND = `($3::text IS NULL OR position(lower($3) in lower(name)) > 0) AND ($4::uuid[] IS NULL
  OR EXISTS (SELECT FROM imported_tags m JOIN images i ON i.id = m.image_id WHERE m.label_id = labels.id AND i.collection_id = ANY($4))
  OR EXISTS (SELECT FROM tag_decisions d JOIN images i ON i.id = d.image_id WHERE d.label_id = labels.id AND i.collection_id = ANY($4)))`;

export async function listLabels(
  db: Queryable,
  { vocabularyId, version }: VersionKey,
  { after, limit, search, usedIn }: LabelPage,
): Promise<readonly LabelRecord[]> {
  const { rows } = await db.query<Row>(
    `SELECT ${COLUMNS} FROM ${LABELS} WHERE vocabulary_id = $1 AND version = $2 AND ${IS_FOUND}
       AND position > $5 ORDER BY position LIMIT $6`,
    [vocabularyId, version, search && withoutNul(search), usedIn, after ?? -1, limit],
  );
  return rows.map(toRecord);
}

export async function countLabels(
  db: Queryable,
  { vocabularyId, version }: VersionKey,
  { search, usedIn }: Pick<LabelPage, 'search' | 'usedIn'>,
): Promise<number> {
  const { rows } = await db.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM ${LABELS} WHERE vocabulary_id = $1 AND version = $2 AND ${IS_FOUND}`,
    [vocabularyId, version, search && withoutNul(search), usedIn],
  );
  return rows[0]?.count ?? 0;
}

/** Each as the newest version defines it that has it. */
export async function findLabelsByIds(
  db: Queryable,
  ids: readonly LabelId[],
): Promise<readonly LabelRecord[]> {
  const { rows } = await db.query<Row>(
    `SELECT DISTINCT ON (id) ${COLUMNS} FROM ${LABELS} WHERE id = ANY($1::int[]) ORDER BY id, version DESC`,
    [ids],
  );
  return rows.map(toRecord);
}

/** Those of a version with these ids, in the version's order. */
export async function findLabelsOfVersion(
  db: Queryable,
  { vocabularyId, version }: VersionKey,
  ids: readonly LabelId[],
): Promise<readonly LabelRecord[]> {
  const { rows } = await db.query<Row>(
    `SELECT ${COLUMNS} FROM ${LABELS} WHERE vocabulary_id = $1 AND version = $2 AND id = ANY($3::int[])
     ORDER BY position`,
    [vocabularyId, version, ids],
  );
  return rows.map(toRecord);
}

/** Those of a version with these names, by name; names without one are left out. */
export async function findLabelsByNames(
  db: Queryable,
  { vocabularyId, version }: VersionKey,
  names: readonly string[],
): Promise<ReadonlyMap<string, LabelRecord>> {
  const { rows } = await db.query<Row>(
    `SELECT ${COLUMNS} FROM ${LABELS} WHERE vocabulary_id = $1 AND version = $2 AND name = ANY($3)`,
    [vocabularyId, version, names],
  );
  return new Map(rows.map((row) => [row.name, toRecord(row)]));
}

/** Ids of an open vocabulary's labels of these names, by name; those that weren't there are made. Names are checked by the caller. */
export async function ensureLabels(
  db: Queryable,
  vocabularyId: VocabularyId,
  names: readonly string[],
): Promise<ReadonlyMap<string, LabelId>> {
  const distinct = [...new Set(names)].sort(); // two writers of the same names wait for each other in one order
  await db.query(
    `INSERT INTO labels (vocabulary_id, name) SELECT $1, name FROM unnest($2::text[]) WITH ORDINALITY AS given (name, place)
     WHERE NOT EXISTS (SELECT FROM labels l WHERE l.vocabulary_id = $1 AND l.name = given.name)
     ORDER BY place ON CONFLICT DO NOTHING`,
    [vocabularyId, distinct],
  );
  const { rows } = await db.query<{ id: LabelId; name: string }>(
    'SELECT id, name FROM labels WHERE vocabulary_id = $1 AND name = ANY($2)',
    [vocabularyId, distinct],
  );
  return new Map(rows.map(({ id, name }) => [name, id]));
}

/** A label and those right above it. */
export type LabelInHierarchy = Pick<LabelRecord, 'id' | 'parentIds'>;

/** Labels that have others above them in the newest versions of these vocabularies; null: of all. */
export async function readHierarchy(
  db: Queryable,
  vocabularyIds: readonly VocabularyId[] | null,
): Promise<readonly LabelInHierarchy[]> {
  const { rows } = await db.query<LabelInHierarchy>(
    `SELECT d.label_id AS id, d.parent_ids AS "parentIds"
     FROM vocabularies v JOIN label_definitions d ON d.vocabulary_id = v.id AND d.version = v.version
     WHERE d.parent_ids <> '{}' AND ($1::uuid[] IS NULL OR v.id = ANY($1))`,
    [vocabularyIds],
  );
  return rows;
}
