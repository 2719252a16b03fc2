import type { VisionSpaceResolvers } from '../generated/resolvers.ts';
import { encodeNodeId } from '../node-ids.ts';

export const VisionSpace: VisionSpaceResolvers = {
  id: ({ id }) => encodeNodeId('VisionSpace', id),
  isAvailable: async ({ fingerprint }, _args, { services }) =>
    (await services.catalog.findByVisionSpace(fingerprint)) !== null,
};
