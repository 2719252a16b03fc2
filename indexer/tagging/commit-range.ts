import type { ImageId, LabelId } from '../../store/ids.ts';
import {
  addRunSamples,
  addRunTags,
  keepImages,
  putRange,
  type PairColumns,
  type RangeCounts,
} from '../../store/run-tags.ts';
import { holdBuilding } from '../../store/tag-run-switch.ts';
import type { TagRunRecord } from '../../store/tag-runs.ts';
import type { Queryable } from '../../store/transaction.ts';
import type { TagChooser } from './choose-tags.ts';
import type { TagRows } from './tag-rows.ts';

/** What a range of images gets. */
export interface ChosenRange {
  readonly number: number;
  readonly ids: readonly ImageId[];
  readonly chooser: Pick<
    TagChooser,
    'chosen' | 'samples' | 'images' | 'tagged' | 'tags' | 'counts' | 'strata'
  >;
  /** By column. */
  readonly labelIds: readonly LabelId[];
}

/**
 * Writes a range's tags, samples and counts, in the transaction of its item. Images that were deleted meanwhile get none. False: the run
 * isn't being built any more.
 */
export async function commitRange(
  client: Queryable,
  { id, collectionId }: Pick<TagRunRecord, 'id' | 'collectionId'>,
  { number, ids, chooser, labelIds }: ChosenRange,
): Promise<boolean> {
  if (!(await holdBuilding(client, id))) return false;
  const kept = await keepImages(client, collectionId, ids);
  const isWhole = kept.size === ids.length;
  const tags = toColumns(chooser.chosen, labelIds, isWhole ? null : kept);
  await addRunTags(client, id, tags);
  await addRunSamples(client, id, toColumns(chooser.samples, labelIds, isWhole ? null : kept));
  const { images, tagged, counts, strata } = chooser;
  const all = { images, tagged, tags: chooser.tags, counts: [...counts], strata: [...strata] };
  await putRange(client, id, number, isWhole ? all : countAgain(all, tags, kept, labelIds));
  return true;
}

function toColumns(
  rows: TagRows,
  labelOf: readonly LabelId[],
  kept: ReadonlySet<ImageId> | null,
): PairColumns {
  const places = [...rows.ids.keys()].filter((i) => kept === null || kept.has(at(rows.ids, i)));
  return {
    imageIds: places.map((i) => at(rows.ids, i)),
    labelIds: places.map((i) => at(labelOf, at(rows.columns, i))),
    scores: places.map((i) => at(rows.scores, i)),
    probabilities: places.map((i) => at(rows.probabilities, i)),
    marks: places.map((i) => at(rows.marks, i)),
  };
}

/** Strata are of the images that were looked at; the rest is of those that are left. */
function countAgain(
  { strata }: RangeCounts,
  { imageIds, labelIds }: PairColumns,
  kept: ReadonlySet<ImageId>,
  labelOf: readonly LabelId[],
): RangeCounts {
  const byLabel = new Map<LabelId, number>();
  for (const id of labelIds) byLabel.set(id, (byLabel.get(id) ?? 0) + 1);
  return {
    ...{ images: kept.size, tagged: new Set(imageIds).size, tags: imageIds.length, strata },
    counts: labelOf.map((id) => byLabel.get(id) ?? 0),
  };
}

function at<T>(values: readonly T[], place: number): T {
  const value = values[place];
  if (value === undefined) throw new RangeError(`There is nothing at ${place}.`);
  return value;
}
