import { PlatformError } from '../../../platform/errors.ts';
import { checkPageSize } from '../../cursors.ts';
import { getVisibleCollection } from '../../auth/visible.ts';
import type { QueryResolvers } from '../../generated/resolvers.ts';
import { checkFilter } from '../../image-filter.ts';
import { findSearched, getSearchable } from '../../search/searched-collection.ts';
import { readTerms } from '../../search/search-terms.ts';

export const search: NonNullable<QueryResolvers['search']> = async (
  _parent,
  { input, first, after },
  context,
) => {
  const { services, loaders, signal } = context;
  if (typeof input.text === 'string') services.textModels.begin(input.collection, input.text);
  const collection = await getVisibleCollection(context, input.collection);
  const generation = input.generation
    ? await getSearchable(context, collection, input.generation)
    : null;
  const searched = await findSearched(context, collection, {
    ...{ textModel: input.textModel, generation },
  });
  if (searched.textModel) services.textModels.remember(input.collection, searched.textModel);
  const { terms, encodedMs } = await readTerms(context, input, searched.visionSpace);
  if (terms.every(({ weight }) => weight < 0)) {
    const message = 'At least one term needs a weight above 0.';
    throw new PlatformError('BAD_USER_INPUT', message);
  }
  return services.search.search({
    ...searched,
    ...{ terms, encodedMs, signal, without: null },
    collectionId: collection.id,
    filter: checkFilter(input.filter),
    exact: input.exact ?? false,
    first: checkPageSize(first),
    after: after ?? null,
    loadImages: async (ids) => rowsOf(await loaders.image.loadMany(ids)),
  });
};

/** A row that can't be read fails the whole answer; one that is gone doesn't. */
export function rowsOf<T>(rows: readonly (T | null | Error)[]): (T | null)[] {
  return rows.map((row) => {
    if (row instanceof Error) throw row;
    return row;
  });
}
