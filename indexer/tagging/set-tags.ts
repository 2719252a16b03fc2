import type { Pool } from 'pg';
import { PlatformError } from '../../platform/errors.ts';
import type { ImageId, LabelId } from '../../store/ids.ts';
import {
  lockForVerdicts,
  putVerdicts,
  type TagVerdict,
  type Verdict,
} from '../../store/tag-decisions.ts';
import { inTransaction, type Queryable } from '../../store/transaction.ts';
import {
  ensureKeywords,
  getVocabulary,
  KEYWORDS,
  type VocabularyRecord,
} from '../../store/vocabularies.ts';
import { findLabelIds, listLabelNames } from '../../store/label-names.ts';
import { ensureLabels, findLabelsByNames } from '../../store/vocabulary-labels.ts';
import { cleanKeyword } from '../ingest/keywords/clean-keywords.ts';
import { nameVerdicts, type NamedVerdict } from './named-verdicts.ts';
import { nearestNames } from './nearest-names.ts';

/** Labels to add or to remove. */
const MOST_LABELS = 100;
const LONGEST_LABEL = 200;
/** Images times labels of one change: more would keep others waiting for seconds. */
const MOST_PAIRS = 20_000;

export interface TagChange {
  /** Each once. */
  readonly imageIds: readonly ImageId[];
  /** A vocabulary's name. */
  readonly vocabulary: string;
  readonly add: readonly string[];
  readonly remove: readonly string[];
  readonly decidedBy: string;
  readonly now: Date;
}

/** Adds and removes tags by hand, all of it or nothing; gives what undoes it. Throws `BAD_USER_INPUT`, `NOT_FOUND`. */
export function setTags(pool: Pool, change: TagChange): Promise<readonly NamedVerdict[]> {
  const [add, remove] = [checkNames('add', change.add), checkNames('remove', change.remove)];
  const both = add.find((name) => remove.includes(name));
  if (both !== undefined) {
    throw bad(`"${both}" stands in "add" and in "remove": leave it in one of them.`);
  }
  const pairs = change.imageIds.length * (add.length + remove.length);
  if (pairs > MOST_PAIRS) {
    const message = `${pairs} pairs of image and label at once are too many: at most ${MOST_PAIRS}.`;
    throw bad(message);
  }
  return inTransaction(pool, async (client) => {
    await lockForVerdicts(client, change.imageIds); // before labels are made: so does who indexes
    const vocabulary = await findVocabulary(client, change.vocabulary);
    const toAdd = await labelsToAdd(client, vocabulary, add);
    const toRemove = await labelsToRemove(client, vocabulary, remove);
    const verdicts = change.imageIds.flatMap((imageId) => [
      ...toAdd.map((labelId) => byHand(imageId, labelId, 'ACCEPTED')),
      ...toRemove.map((labelId) => byHand(imageId, labelId, 'REJECTED')),
    ]);
    if (verdicts.length === 0) return [];
    const { undo } = await putVerdicts(client, verdicts, change);
    return nameVerdicts(client, undo);
  });
}

function byHand(imageId: ImageId, labelId: LabelId, verdict: Verdict): TagVerdict {
  return { imageId, labelId, verdict, isManual: true, isSampled: false };
}

function checkNames(field: string, names: readonly string[]): readonly string[] {
  const clean = [...new Set(names.map(cleanKeyword))];
  if (clean.length > MOST_LABELS) throw bad(`"${field}" takes at most ${MOST_LABELS} labels.`);
  const wrong = clean.find((name) => name === '' || name.length > LONGEST_LABEL);
  if (wrong === undefined) return clean;
  throw bad(`A label has 1 to ${LONGEST_LABEL} characters; "${field}" has one of ${wrong.length}.`);
}

function findVocabulary(db: Queryable, name: string): Promise<VocabularyRecord> {
  return name === KEYWORDS ? ensureKeywords(db) : getVocabulary(db, name);
}

async function labelsToAdd(
  db: Queryable,
  { id: vocabularyId, version, isOpen, name }: VocabularyRecord,
  names: readonly string[],
): Promise<readonly LabelId[]> {
  if (isOpen) return [...(await ensureLabels(db, vocabularyId, names)).values()];
  const found = await findLabelsByNames(db, { vocabularyId, version }, names);
  const missing = names.filter((label) => !found.has(label));
  if (missing.length === 0) return [...found.values()].map(({ id }) => id);
  throw unknown(missing, name, await listLabelNames(db, vocabularyId));
}

/** Also labels that older versions had: images may have them still. */
async function labelsToRemove(
  db: Queryable,
  { id: vocabularyId, isOpen, name }: VocabularyRecord,
  names: readonly string[],
): Promise<readonly LabelId[]> {
  if (isOpen) return [...(await ensureLabels(db, vocabularyId, names)).values()];
  const found = await findLabelIds(db, vocabularyId, names);
  const missing = names.filter((label) => !found.has(label));
  if (missing.length === 0) return [...found.values()];
  throw unknown(missing, name, await listLabelNames(db, vocabularyId));
}

function unknown(
  missing: readonly string[],
  vocabulary: string,
  known: readonly string[],
): PlatformError {
  const [first = '', ...others] = missing;
  const near = nearestNames(first, known);
  const hint = near.length === 0 ? '' : ` Near it: ${near.map((one) => `"${one}"`).join(', ')}.`;
  const more = others.length === 0 ? '' : ` (and ${others.length} others that aren't there)`;
  const message = `The vocabulary "${vocabulary}" has no label "${first}"${more}.${hint} "${KEYWORDS}" takes any.`;
  return new PlatformError('NOT_FOUND', message);
}

function bad(message: string): PlatformError {
  return new PlatformError('BAD_USER_INPUT', message);
}
