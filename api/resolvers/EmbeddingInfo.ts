import { hasRole } from '../auth/viewer.ts';
import type { EmbeddingInfoResolvers } from '../generated/resolvers.ts';
import { loadVisionSpace } from './Generation.ts';

export const EmbeddingInfo: EmbeddingInfoResolvers = {
  visionSpace: ({ visionSpaceId }, _args, context) => loadVisionSpace(visionSpaceId, context),
  values: async ({ visionSpaceId, sha256 }, _args, { loaders, viewer }) => {
    if (!hasRole(viewer, 'ADMIN')) return null;
    const vector = await loaders.vector.load({ visionSpaceId, sha256 });
    return vector === null ? null : Array.from(vector);
  },
};
