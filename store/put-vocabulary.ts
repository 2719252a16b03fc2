import type { Pool } from 'pg';
import { PlatformError } from '../platform/errors.ts';
import type { ImageId, LabelId, VocabularyId } from './ids.ts';
import { inTransaction, type Queryable } from './transaction.ts';
import {
  isOpenError,
  KEYWORDS,
  lockOrCreateVocabulary,
  type VocabularyRecord,
} from './vocabularies.ts';
import { ensureLabels, readLabels } from './vocabulary-labels.ts';

/** A label as it is written; those above it by name. */
export interface NewLabel {
  readonly name: string;
  readonly prompts: readonly string[];
  readonly negativePrompts: readonly string[];
  readonly exampleImageIds: readonly ImageId[];
  /** 0 to 1; null: the run's. */
  readonly threshold: number | null;
  readonly parents: readonly string[];
}

export interface NewVersion {
  readonly name: string;
  /** Of the vocabulary, not of the version. Null: as it was. */
  readonly description: string | null;
  /** Checked by the caller: names are distinct, parents are among them. */
  readonly labels: readonly NewLabel[];
  /** Only when the newest version is this one, 0: only when there is none; null: whatever it is. */
  readonly ifVersion: number | null;
  readonly createdBy: string;
  /** Of the file that came with the program, where it is from one. */
  readonly fileSha256?: Uint8Array;
  readonly now: Date;
}

export interface PutResult {
  readonly vocabulary: VocabularyRecord;
  /** Whether there is a new version. */
  readonly changed: boolean;
}

/**
 * Makes a vocabulary, or a new version of one, in one transaction; writers of the same one queue. The same labels again make no
 * version. Throws `CONFLICT`.
 */
export function putVocabulary(pool: Pool, put: NewVersion): Promise<PutResult> {
  return inTransaction(pool, (client) => putInTransaction(client, put));
}

/** The same within a transaction. */
async function putInTransaction(client: Queryable, put: NewVersion): Promise<PutResult> {
  const before = await lockOrCreateVocabulary(client, put.name, put.now);
  if (before.isOpen || put.name === KEYWORDS) throw isOpenError(put.name);
  checkVersion(before, put.ifVersion);
  const described = await describe(client, before, put);
  if (before.version > 0 && (await isSame(client, before, put.labels))) {
    await noteFile(client, before, put);
    return { vocabulary: described, changed: false };
  }
  const version = before.version + 1;
  await insertVersion(client, before.id, version, put);
  const changed = { version, changedAt: put.now };
  await client.query('UPDATE vocabularies SET version = $2, changed_at = $3 WHERE id = $1', [
    ...[before.id, version, put.now],
  ]);
  return { vocabulary: { ...described, ...changed }, changed: true };
}

function checkVersion({ name, version }: VocabularyRecord, ifVersion: number | null): void {
  if (ifVersion === null || ifVersion === version) return;
  const newest =
    version === 0
      ? `There is no vocabulary "${name}".`
      : `"${name}" has version ${version} by now.`;
  throw new PlatformError('CONFLICT', `${newest} This was meant for version ${ifVersion}.`);
}

async function describe(
  client: Queryable,
  before: VocabularyRecord,
  { description, now }: NewVersion,
): Promise<VocabularyRecord> {
  if (description === null || description === before.description) return before;
  await client.query('UPDATE vocabularies SET description = $2, changed_at = $3 WHERE id = $1', [
    ...[before.id, description, now],
  ]);
  return { ...before, description, changedAt: now };
}

/** Another file may say the same. */
async function noteFile(
  client: Queryable,
  { id, version }: VocabularyRecord,
  { fileSha256 }: NewVersion,
): Promise<void> {
  if (fileSha256 === undefined) return;
  await client.query(
    'UPDATE vocabulary_versions SET file_sha256 = $3 WHERE vocabulary_id = $1 AND version = $2',
    [id, version, fileSha256],
  );
}

async function isSame(
  client: Queryable,
  { id, version }: VocabularyRecord,
  labels: readonly NewLabel[],
): Promise<boolean> {
  const before = await readLabels(client, { vocabularyId: id, version });
  if (before.length !== labels.length) return false;
  const names = new Map(before.map((label) => [label.id, label.name]));
  return before.every(({ parentIds, ...label }, i) => {
    const parents = parentIds.map((parent) => names.get(parent) ?? '');
    const given = labels[i];
    return given !== undefined && contentOf({ ...label, parents }) === contentOf(given);
  });
}

function contentOf(label: NewLabel): string {
  const { name, prompts, negativePrompts, exampleImageIds, threshold, parents } = label;
  const examples = exampleImageIds.map(String);
  return JSON.stringify([name, prompts, negativePrompts, examples, threshold, parents]);
}

async function insertVersion(
  client: Queryable,
  id: VocabularyId,
  version: number,
  { labels, createdBy, fileSha256, now }: NewVersion,
): Promise<void> {
  await client.query(
    `INSERT INTO vocabulary_versions (vocabulary_id, version, label_count, created_at, created_by, file_sha256)
     VALUES ($1, $2, $3, $4, $5, $6)`,
    [id, version, labels.length, now, createdBy, fileSha256 ?? null],
  );
  const names = labels.map(({ name }) => name);
  const ids = await ensureLabels(client, id, names);
  const definitions = labels.map((label, position) => definitionOf(label, position, ids));
  await client.query(
    `INSERT INTO label_definitions (vocabulary_id, version, label_id, position, prompts, negative_prompts,
       example_image_ids, threshold, parent_ids)
     SELECT $1, $2, label_id, position, prompts, negative_prompts, example_image_ids, threshold, parent_ids
     FROM json_to_recordset($3) AS given (label_id int, position int, prompts text[], negative_prompts text[],
       example_image_ids bigint[], threshold float8, parent_ids int[])`,
    [id, version, JSON.stringify(definitions)],
  );
}

function definitionOf(label: NewLabel, position: number, ids: ReadonlyMap<string, LabelId>) {
  return {
    label_id: idOf(label.name, ids),
    position,
    prompts: label.prompts,
    negative_prompts: label.negativePrompts,
    example_image_ids: label.exampleImageIds.map(String),
    threshold: label.threshold,
    parent_ids: label.parents.map((parent) => idOf(parent, ids)),
  };
}

function idOf(name: string, ids: ReadonlyMap<string, LabelId>): LabelId {
  const id = ids.get(name);
  if (id !== undefined) return id;
  throw new Error(`The label "${name}" has no row.`);
}
