import { countChanges } from '../../../store/changes.ts';
import { getVisibleCollection } from '../../auth/visible.ts';
import type { QueryResolvers } from '../../generated/resolvers.ts';
import { findSearched } from '../../search/searched-collection.ts';

export const indexHealth: NonNullable<QueryResolvers['indexHealth']> = async (
  _parent,
  { collection: name },
  context,
) => {
  const { services, loaders } = context;
  const collection = await getVisibleCollection(context, name);
  const { generation } = await findSearched(context, collection);
  const index = await services.indexes.get(generation);
  const { size, seq, ...state } = index.state;
  return {
    ...state,
    images: (await loaders.imageCount.load(collection.id)) ?? 0,
    indexed: size,
    lag: await countChanges(services.database.pool, index.key, seq),
  };
};
