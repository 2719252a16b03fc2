import type { CollectionResolvers } from '../generated/resolvers.ts';
import { encodeNodeId } from '../node-ids.ts';

export const Collection: CollectionResolvers = {
  id: ({ id }) => encodeNodeId('Collection', id),
  imageCount: async ({ id }, _args, { loaders }) => (await loaders.imageCount.load(id)) ?? 0,
  sources: async ({ id }, _args, { loaders }) => [...((await loaders.sources.load(id)) ?? [])],
  generation: ({ id }, _args, { loaders }) => loaders.liveGeneration.load(id),
  textModel: async ({ activeTextModelId }, _args, { loaders }) =>
    (await loaders.textModels()).find(({ id }) => id === activeTextModelId) ?? null,
};
