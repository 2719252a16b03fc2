import type { Pool } from 'pg';
import { PlatformError } from '../../platform/errors.ts';
import { groupBy } from '../../platform/group-by.ts';
import { recordAudit } from '../../store/audit.ts';
import type { CollectionId, ImageId, LabelId } from '../../store/ids.ts';
import { findLabelIds } from '../../store/label-names.ts';
import { putVerdicts, type Pair, type TagVerdict } from '../../store/tag-decisions.ts';
import { inTransaction, type Queryable } from '../../store/transaction.ts';
import { findVocabulary } from '../../store/vocabularies.ts';
import { nameVerdicts, type NamedVerdict } from './named-verdicts.ts';

export interface Review {
  readonly verdicts: readonly NamedVerdict[];
  /** The collection of each image of the verdicts. */
  readonly collectionOf: ReadonlyMap<ImageId, CollectionId>;
  readonly decidedBy: string;
  readonly now: Date;
}

export interface Reviewed {
  readonly changed: readonly Pair[];
  readonly undo: readonly NamedVerdict[];
}

/** Stores what a person says of tags, all of it or nothing, with an audit entry a collection. Throws `NOT_FOUND`. */
export function reviewTags(pool: Pool, review: Review): Promise<Reviewed> {
  return inTransaction(pool, async (client) => {
    const verdicts = await resolveLabels(client, review.verdicts);
    const { changed, undo } = await putVerdicts(client, verdicts, review);
    await auditAll(client, review, changed);
    return { changed, undo: await nameVerdicts(client, undo) };
  });
}

/** Labels of any version: images may have old ones still. */
async function resolveLabels(
  db: Queryable,
  verdicts: readonly NamedVerdict[],
): Promise<readonly TagVerdict[]> {
  const ids = new Map<string, ReadonlyMap<string, LabelId>>();
  for (const [name, group] of groupBy(verdicts, ({ vocabulary }) => vocabulary)) {
    const vocabulary = await findVocabulary(db, name);
    if (vocabulary === null) throw notFound(`There is no vocabulary "${name.slice(0, 100)}".`);
    const labels = [...new Set(group.map(({ label }) => label))];
    const found = await findLabelIds(db, vocabulary.id, labels);
    const missing = labels.find((label) => !found.has(label));
    if (missing !== undefined) {
      throw notFound(`The vocabulary "${name}" has no label "${missing.slice(0, 200)}".`);
    }
    ids.set(name, found);
  }
  return verdicts.flatMap(({ vocabulary, label, ...verdict }) => {
    const labelId = ids.get(vocabulary)?.get(label);
    return labelId === undefined ? [] : [{ ...verdict, labelId }];
  });
}

function notFound(message: string): PlatformError {
  return new PlatformError('NOT_FOUND', message);
}

async function auditAll(
  client: Queryable,
  { collectionOf, decidedBy, now }: Review,
  changed: readonly Pair[],
): Promise<void> {
  const byCollection = groupBy(changed, ({ imageId }) => collectionOf.get(imageId));
  for (const [subject = null, pairs] of byCollection) {
    const images = new Set(pairs.map(({ imageId }) => imageId.toString()));
    const labels = new Set(pairs.map(({ labelId }) => labelId));
    await recordAudit(client, {
      ...{ actor: decidedBy, action: 'reviewTags', subject, now },
      detail: { verdicts: pairs.length, images: [...images], labels: [...labels] },
    });
  }
}
