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
    [vocabularyId, names],
  );
  return new Map(rows.map(({ id, name }) => [name, id]));
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
