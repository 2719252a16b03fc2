import type { TextModelResolvers } from '../generated/resolvers.ts';
import { encodeNodeId } from '../node-ids.ts';
import { loadVisionSpace } from './Generation.ts';

export const TextModel: TextModelResolvers = {
  id: ({ id }) => encodeNodeId('TextModel', id),
  isAvailable: async ({ fingerprint }, _args, { services }) =>
    (await services.catalog.findByTextModel(fingerprint)) !== null,
  visionSpace: ({ visionSpaceId }, _args, context) => loadVisionSpace(visionSpaceId, context),
};
