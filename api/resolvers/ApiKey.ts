import type { ApiKeyRecord } from '../../store/api-keys.ts';
import type { CollectionRecord } from '../../store/collections.ts';
import type { Context } from '../context.ts';
import type { ApiKeyResolvers } from '../generated/resolvers.ts';
import { encodeNodeId } from '../node-ids.ts';

export const ApiKey: ApiKeyResolvers = {
  id: ({ id }) => encodeNodeId('ApiKey', id),
  collections: (key, _args, context) => loadScope(key, context),
};

/** Null: all. */
export async function loadScope(
  { collections }: ApiKeyRecord,
  { loaders }: Context,
): Promise<CollectionRecord[] | null> {
  if (collections === null) return null;
  const found = await Promise.all(collections.map((id) => loaders.collection.load(id)));
  return found.filter((collection) => collection !== null);
}
