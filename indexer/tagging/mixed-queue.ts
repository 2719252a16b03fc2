import {
  listReviewItems,
  type ReviewFilter,
  type ReviewItemRecord,
  type ReviewPlace,
} from '../../store/review-queue.ts';
import type { Queryable } from '../../store/transaction.ts';

/** How far somebody is in both queues; null: at the beginning. */
export interface MixedPlace {
  /** Items so far. */
  readonly count: number;
  readonly drawn: ReviewPlace | null;
  readonly doubtful: ReviewPlace | null;
}

export interface MixedItem extends ReviewItemRecord {
  /** Where it leaves off. */
  readonly place: MixedPlace;
}

/** So many drawn ones come before a doubtful one. */
const DRAWN_IN_A_ROW = 2;

/**
 * Two drawn pairs, then a doubtful one, and so on; when one queue ends, the other goes on. After fifty clicks in this order more labels
 * have right probabilities than with doubtful ones alone, and more intervals hold the truth than with drawn ones alone
 * (docs/decisions/0051-shares-from-reviews.md). A pair is in one of the queues, by a hash: none comes twice.
 */
export async function listMixedItems(
  db: Queryable,
  filter: ReviewFilter,
  { after, limit }: { readonly after: MixedPlace | null; readonly limit: number },
): Promise<readonly MixedItem[]> {
  let { drawn, doubtful, count } = after ?? { drawn: null, doubtful: null, count: 0 };
  const others = await listReviewItems(db, filter, 'SAMPLED', {
    ...{ after: drawn, limit, part: 'others' },
  });
  const third = await listReviewItems(db, filter, 'UNCERTAIN', {
    ...{ after: doubtful, limit, part: 'third' },
  });
  const [drawnItems, doubtfulItems] = [[...others], [...third]];
  const items: MixedItem[] = [];
  while (items.length < limit) {
    const isDoubtful = ++count % (DRAWN_IN_A_ROW + 1) === 0;
    const first = isDoubtful ? doubtfulItems.shift() : drawnItems.shift();
    const item = first ?? (isDoubtful ? drawnItems.shift() : doubtfulItems.shift());
    if (item === undefined) break;
    if (item.isSampled) drawn = placeOf(item);
    else doubtful = placeOf(item);
    items.push({ ...item, place: { drawn, doubtful, count } });
  }
  return items;
}

function placeOf({ rank, imageId, labelId }: ReviewItemRecord): ReviewPlace {
  return { rank, imageId, labelId };
}
