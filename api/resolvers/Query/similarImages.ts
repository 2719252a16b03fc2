import { getVisibleImage } from '../../auth/visible.ts';
import { checkPageSize } from '../../cursors.ts';
import type { QueryResolvers } from '../../generated/resolvers.ts';
import { checkFilter } from '../../image-filter.ts';
import { findSearched } from '../../search/searched-collection.ts';
import { loadEmbedding } from '../../search/search-terms.ts';
import { rowsOf } from './search.ts';

export const similarImages: NonNullable<QueryResolvers['similarImages']> = async (
  _parent,
  { imageId, filter, first, after },
  context,
) => {
  const { services, loaders, signal } = context;
  const image = await getVisibleImage(context, imageId);
  const collection = await loaders.collection.load(image.collectionId);
  if (!collection) throw new Error('An image outlived its collection.');
  const searched = await findSearched(context, collection);
  const embedding = await loadEmbedding(context, image, searched.visionSpace);
  return services.search.search({
    ...searched,
    ...{ signal, exact: false, encodedMs: 0, without: image.id },
    terms: [{ kind: 'embedding', name: `image ${image.id}`, embedding, weight: 1 }],
    collectionId: collection.id,
    filter: checkFilter(filter),
    first: checkPageSize(first),
    after: after ?? null,
    loadImages: async (ids) => rowsOf(await loaders.image.loadMany(ids)),
  });
};
