import type { LabelId, VocabularyId } from './ids.ts';
import type { Queryable } from './transaction.ts';

/*
 * Labels over all versions of their vocabularies, by name.
 */

interface Row {
  readonly id: LabelId;
  readonly name: string;
}

/** Ids by name; names that no version had are left out. */
export async function findLabelIds(
  db: Queryable,
  vocabularyId: VocabularyId,
  names: readonly string[],
): Promise<ReadonlyMap<string, LabelId>> {
  const { rows } = await db.query<Row>(
    'SELECT id, name FROM labels WHERE vocabulary_id = $1 AND name = ANY($2::text[])',
    [vocabularyId, names.map(withoutNul)],
  );
  return new Map(rows.map(({ id, name }) => [name, id]));
}

/** Postgres takes no text with a NUL, which no name has either. */
export function withoutNul(text: string): string {
  return text.replaceAll('\0', '');
}

/** Names by id. */
export async function findLabelNames(
  db: Queryable,
  ids: readonly LabelId[],
): Promise<ReadonlyMap<LabelId, string>> {
  const { rows } = await db.query<Row>('SELECT id, name FROM labels WHERE id = ANY($1::int[])', [
    ids,
  ]);
  return new Map(rows.map(({ id, name }) => [id, name]));
}

/** All names there are. Price: 20,000 of some 20 bytes at most for a vocabulary that isn't open. */
export async function listLabelNames(
  db: Queryable,
  vocabularyId: VocabularyId,
): Promise<readonly string[]> {
  const { rows } = await db.query<Row>('SELECT id, name FROM labels WHERE vocabulary_id = $1', [
    vocabularyId,
  ]);
  return rows.map(({ name }) => name);
}

/** Labels of a name, in a vocabulary or (null) in any. */
export async function findLabelsNamed(
  db: Queryable,
  name: string,
  vocabularyId: VocabularyId | null,
): Promise<readonly LabelId[]> {
  const { rows } = await db.query<{ id: LabelId }>(
    'SELECT id FROM labels WHERE name = $1 AND ($2::uuid IS NULL OR vocabulary_id = $2)',
    [withoutNul(name), vocabularyId],
  );
  return rows.map(({ id }) => id);
}

export interface FullName {
  readonly vocabulary: string;
  readonly label: string;
}

/** Names by id, with those of their vocabularies. */
export async function findFullNames(
  db: Queryable,
  ids: readonly LabelId[],
): Promise<ReadonlyMap<LabelId, FullName>> {
  const { rows } = await db.query<FullName & { id: LabelId }>(
    `SELECT l.id, l.name AS label, v.name AS vocabulary
     FROM labels l JOIN vocabularies v ON v.id = l.vocabulary_id WHERE l.id = ANY($1::int[])`,
    [ids],
  );
  return new Map(rows.map(({ id, ...name }) => [id, name]));
}

/** By label: how many labels the newest version of its vocabulary has. Labels that aren't there are left out. */
export async function countVocabulariesOf(
  db: Queryable,
  ids: readonly LabelId[],
): Promise<ReadonlyMap<LabelId, number>> {
  const { rows } = await db.query<{ id: LabelId; size: number }>(
    `SELECT l.id, n.label_count AS size FROM labels l JOIN vocabularies v ON v.id = l.vocabulary_id
     JOIN vocabulary_versions n ON n.vocabulary_id = v.id AND n.version = v.version
     WHERE l.id = ANY($1::int[]) AND NOT v.is_open`,
    [ids],
  );
  return new Map(rows.map(({ id, size }) => [id, size]));
}
