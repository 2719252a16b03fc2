import { asImageId } from '../../../store/ids.ts';
import { countQueried, queryImages } from '../../../store/image-query.ts';
import { getVisibleCollection } from '../../auth/visible.ts';
import { NUMBER_KEY, paginate } from '../../connections.ts';
import type { QueryResolvers } from '../../generated/resolvers.ts';
import { checkFilter } from '../../image-filter.ts';

export const images: NonNullable<QueryResolvers['images']> = async (
  _parent,
  { collection, filter, ...page },
  context,
) => {
  const { pool } = context.services.database;
  const { id: collectionId } = await getVisibleCollection(context, collection);
  const query = { collectionId, filter: checkFilter(filter) };
  return paginate(page, {
    kind: `images ${collectionId}`,
    key: NUMBER_KEY,
    keyOf: (image) => image.id.toString(),
    read: ({ after, limit }) =>
      queryImages(pool, query, { after: after === null ? null : asImageId(after), limit }),
    count: () => countQueried(pool, query),
  });
};
