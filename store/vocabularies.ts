import type { Pool } from 'pg';
import { PlatformError } from '../platform/errors.ts';
import { asCollectionId, isUuid, type ImageId, type LabelId, type VocabularyId } from './ids.ts';
import { withoutNul } from './label-names.ts';
import { lockTags } from './tag-run-switch.ts';
import { inTransaction, type Queryable } from './transaction.ts';

/** A named set of labels. Each change of it as a whole is a version; labels keep their ids over versions. */
export interface VocabularyRecord {
  readonly id: VocabularyId;
  readonly name: string;
  readonly description: string;
  /** The newest. */
  readonly version: number;
  /** Whether labels come by being used, without prompts or versions. */
  readonly isOpen: boolean;
  readonly createdAt: Date;
  readonly changedAt: Date;
}

export interface VocabularyVersionRecord {
  readonly vocabularyId: VocabularyId;
  readonly version: number;
  readonly labelCount: number;
  readonly createdAt: Date;
  readonly createdBy: string;
  /** Of the file that came with the program; null: it is from none. */
  readonly fileSha256: Uint8Array | null;
}

/** A label as a version of its vocabulary defines it. */
export interface LabelRecord {
  readonly id: LabelId;
  readonly vocabularyId: VocabularyId;
  readonly version: number;
  /** From 0, within the version; in an open vocabulary any rising number. */
  readonly position: number;
  readonly name: string;
  /** Whole texts; none: the text model's templates around the name. */
  readonly prompts: readonly string[];
  readonly negativePrompts: readonly string[];
  /** Some may be gone. */
  readonly exampleImageIds: readonly ImageId[];
  /** 0 to 1; null: the run's. */
  readonly threshold: number | null;
  readonly parentIds: readonly LabelId[];
}

/** The open vocabulary: what files brought along and people typed. */
export const KEYWORDS = 'keywords';

/** Who made a version that came with the program. */
export const BUILT_IN = 'built in';

const COLUMNS = `id, name, description, version, is_open AS "isOpen",
  created_at AS "createdAt", changed_at AS "changedAt"`;

export async function findVocabulary(
  db: Queryable,
  name: string,
): Promise<VocabularyRecord | null> {
  const { rows } = await db.query<VocabularyRecord>(
    `SELECT ${COLUMNS} FROM vocabularies WHERE name = $1`,
    [withoutNul(name.normalize('NFC'))],
  );
  return rows[0] ?? null;
}

/** Throws `NOT_FOUND`. */
export async function getVocabulary(db: Queryable, name: string): Promise<VocabularyRecord> {
  const found = await findVocabulary(db, name);
  if (found) return found;
  throw new PlatformError('NOT_FOUND', `There is no vocabulary "${name.slice(0, 100)}".`);
}

export async function findVocabulariesByIds(
  db: Queryable,
  ids: readonly VocabularyId[],
): Promise<readonly VocabularyRecord[]> {
  const { rows } = await db.query<VocabularyRecord>(
    `SELECT ${COLUMNS} FROM vocabularies WHERE id = ANY($1::uuid[])`,
    [ids.filter(isUuid)],
  );
  return rows;
}

/** By name, those after the given one. */
export async function listVocabularies(
  db: Queryable,
  { after, limit }: { readonly after: string | null; readonly limit: number },
): Promise<readonly VocabularyRecord[]> {
  const { rows } = await db.query<VocabularyRecord>(
    `SELECT ${COLUMNS} FROM vocabularies WHERE $1::text IS NULL OR name > $1 ORDER BY name LIMIT $2`,
    [after && withoutNul(after), limit],
  );
  return rows;
}

export async function countVocabularies(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ count: number }>(
    'SELECT count(*)::int AS count FROM vocabularies',
  );
  return rows[0]?.count ?? 0;
}

/** What an open vocabulary has now counts for its one version. */
const VERSIONS = `SELECT v.vocabulary_id AS "vocabularyId", v.version, v.created_at AS "createdAt", v.created_by AS "createdBy",
    v.file_sha256 AS "fileSha256",
    CASE WHEN o.is_open THEN (SELECT count(*)::int FROM labels l WHERE l.vocabulary_id = o.id)
      ELSE v.label_count END AS "labelCount"
  FROM vocabulary_versions v JOIN vocabularies o ON o.id = v.vocabulary_id`;

/** Newest first. */
export async function listVersions(
  db: Queryable,
  id: VocabularyId,
): Promise<readonly VocabularyVersionRecord[]> {
  const { rows } = await db.query<VocabularyVersionRecord>(
    `${VERSIONS} WHERE v.vocabulary_id = $1 ORDER BY v.version DESC`,
    [id],
  );
  return rows;
}

/** The newest version of each. */
export async function findNewestVersions(
  db: Queryable,
  ids: readonly VocabularyId[],
): Promise<ReadonlyMap<VocabularyId, VocabularyVersionRecord>> {
  const { rows } = await db.query<VocabularyVersionRecord>(
    `${VERSIONS} WHERE v.vocabulary_id = ANY($1::uuid[]) AND v.version = o.version`,
    [ids],
  );
  return new Map(rows.map((row) => [row.vocabularyId, row]));
}

/** The open vocabulary `keywords`, made when it isn't there yet. */
export async function ensureKeywords(db: Queryable): Promise<VocabularyRecord> {
  const before = await findVocabulary(db, KEYWORDS);
  if (before) return before;
  await db.query(
    `WITH made AS (
       INSERT INTO vocabularies (name, description, is_open)
       VALUES ($1, 'What image files brought along and people typed.', true)
       ON CONFLICT (name) DO NOTHING RETURNING id, version)
     INSERT INTO vocabulary_versions (vocabulary_id, version, label_count, created_by)
     SELECT id, version, 0, $2 FROM made`,
    [KEYWORDS, BUILT_IN],
  );
  return getVocabulary(db, KEYWORDS);
}

/** With its runs, tags and reviews in all collections. What runs wrote for images is gone from that moment, and deleted in the background. Throws `CONFLICT` for an open one. */
export async function deleteVocabulary(pool: Pool, name: string): Promise<VocabularyId> {
  return inTransaction(pool, async (client) => {
    const { id, isOpen } = await lockVocabulary(client, name);
    if (isOpen) throw isOpenError(name);
    await lockItsRuns(client, id);
    for (const table of ['tag_runs', 'label_definitions']) {
      await client.query(`DELETE FROM ${table} WHERE vocabulary_id = $1`, [id]); // before labels, each of which would look for its own
    }
    await client.query('DELETE FROM vocabularies WHERE id = $1', [id]);
    return id;
  });
}

/** None is applied or reverted meanwhile, which changes other runs, too: the two would wait for each other. */
async function lockItsRuns(client: Queryable, id: VocabularyId): Promise<void> {
  const { rows } = await client.query<{ id: string }>(
    'SELECT DISTINCT collection_id AS id FROM tag_runs WHERE vocabulary_id = $1 ORDER BY 1',
    [id],
  );
  for (const row of rows) await lockTags(client, asCollectionId(row.id));
}

export function isOpenError(name: string): PlatformError {
  return new PlatformError(
    'CONFLICT',
    `The labels of "${name}" come by being used; it can't be changed as a whole, or deleted.`,
  );
}

/** Nobody else writes to it until the transaction ends; runs of it may start. Throws `NOT_FOUND`. */
async function lockVocabulary(client: Queryable, name: string): Promise<VocabularyRecord> {
  const { rows } = await client.query<VocabularyRecord>(
    `SELECT ${COLUMNS} FROM vocabularies WHERE name = $1 FOR NO KEY UPDATE`,
    [name.normalize('NFC')],
  );
  if (rows[0]) return rows[0];
  throw new PlatformError('NOT_FOUND', `There is no vocabulary "${name.slice(0, 100)}".`);
}

/** The vocabulary of this name, for nobody else to write to; version 0 when it is new. */
export async function lockOrCreateVocabulary(
  client: Queryable,
  name: string,
  now: Date,
): Promise<VocabularyRecord> {
  await client.query(
    `INSERT INTO vocabularies (name, version, created_at, changed_at) VALUES ($1, 0, $2, $2)
     ON CONFLICT (name) DO NOTHING`,
    [name, now],
  );
  return lockVocabulary(client, name);
}
