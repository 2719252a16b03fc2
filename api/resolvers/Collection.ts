import type { CollectionResolvers } from '../generated/resolvers.ts';
import { encodeNodeId } from '../node-ids.ts';

export const Collection: CollectionResolvers = {
  id: ({ id }) => encodeNodeId('Collection', id),
  imageCount: async ({ id }, _args, { loaders }) => (await loaders.imageCount.load(id)) ?? 0,
  sources: async ({ id }, _args, { loaders }) => [...((await loaders.sources.load(id)) ?? [])],
  generation: ({ id }, _args, { loaders }) => loaders.liveGeneration.load(id),
  textModel: async ({ id: collectionId }, _args, { loaders }) => {
    const generation = await loaders.liveGeneration.load(collectionId);
    const models = await loaders.textModels();
    return models.find(({ id }) => id === generation?.textModelId) ?? null;
  },
};
