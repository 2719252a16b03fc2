import { z } from 'zod';
import {
  listMixedItems,
  type MixedItem,
  type MixedPlace,
} from '../../../indexer/tagging/mixed-queue.ts';
import { STRATA } from '../../../indexer/tagging/strata.ts';
import { PlatformError } from '../../../platform/errors.ts';
import { asImageId, asLabelId, type LabelId } from '../../../store/ids.ts';
import { findLabelsNamed } from '../../../store/label-names.ts';
import {
  countReviewItems,
  listReviewItems,
  type ReviewFilter,
  type ReviewPlace,
} from '../../../store/review-queue.ts';
import { getVocabulary, type VocabularyRecord } from '../../../store/vocabularies.ts';
import { getVisibleCollection } from '../../auth/visible.ts';
import { paginate } from '../../connections.ts';
import type { Context } from '../../context.ts';
import type { QueryResolvers } from '../../generated/resolvers.ts';

/** A rank, an image and a label. */
const PLACE = z.string().regex(/^-?\d[\d.e+-]{0,30} \d{1,18} \d{1,9}$/);
/** How many items came, and a place in each queue, empty at the beginning. */
const MIXED_PLACE = z
  .string()
  .regex(
    /^\d{1,9}\|(-?\d[\d.e+-]{0,30} \d{1,18} \d{1,9})?\|(-?\d[\d.e+-]{0,30} \d{1,18} \d{1,9})?$/,
  );

export const reviewQueue: NonNullable<QueryResolvers['reviewQueue']> = async (
  _parent,
  { collection: name, vocabulary: named, label, order: by, ...page },
  context,
) => {
  const { pool } = context.services.database;
  const { id: collectionId } = await getVisibleCollection(context, name);
  const vocabulary = named == null ? null : await getVocabulary(pool, named);
  const labelIds = label == null ? null : await getLabels(context, label, vocabulary);
  const filter: ReviewFilter = {
    ...{ collectionId, vocabularyId: vocabulary?.id ?? null, labelIds, strata: STRATA },
  };
  const kind = `${by} reviews of ${collectionId}`;
  if (by === 'MIXED') {
    // Of all labels there are thousands of pairs that runs left out for each one they gave.
    const mixed = { ...filter, isTagged: labelIds === null };
    return paginate(page, {
      ...{ kind, key: MIXED_PLACE },
      keyOf: ({ place: { count, drawn, doubtful } }: MixedItem) =>
        `${count}|${write(drawn)}|${write(doubtful)}`,
      read: ({ after, limit }) =>
        listMixedItems(pool, mixed, { after: mixedPlaceOf(after), limit }),
      count: () => countReviewItems(pool, mixed, 'SAMPLED'),
    });
  }
  return paginate(page, {
    ...{ kind, key: PLACE },
    keyOf: write,
    read: ({ after, limit }) => listReviewItems(pool, filter, by, { after: placeOf(after), limit }),
    count: () => countReviewItems(pool, filter, by),
  });
};

function write(place: ReviewPlace | null): string {
  return place === null ? '' : `${place.rank} ${place.imageId} ${place.labelId}`;
}

function placeOf(text: string | null): ReviewPlace | null {
  if (text === null || text === '') return null;
  const [rank = '', image = '', label = ''] = text.split(' ');
  return { rank: Number(rank), imageId: asImageId(image), labelId: asLabelId(Number(label)) };
}

function mixedPlaceOf(cursor: string | null): MixedPlace | null {
  if (cursor === null) return null;
  const [count = '', drawn = '', doubtful = ''] = cursor.split('|');
  return { count: Number(count), drawn: placeOf(drawn), doubtful: placeOf(doubtful) };
}

/** One in a vocabulary; without one, whatever is named so. */
async function getLabels(
  { services }: Context,
  label: string,
  vocabulary: VocabularyRecord | null,
): Promise<readonly LabelId[]> {
  const found = await findLabelsNamed(services.database.pool, label, vocabulary?.id ?? null);
  if (found.length > 0) return found;
  const where = vocabulary === null ? 'No vocabulary' : `The vocabulary "${vocabulary.name}"`;
  const verb = vocabulary === null ? 'has a' : 'has no';
  throw new PlatformError('NOT_FOUND', `${where} ${verb} label "${label.slice(0, 200)}".`);
}
