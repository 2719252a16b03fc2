import type { TextModelResolvers } from '../generated/resolvers.ts';
import { encodeNodeId } from '../node-ids.ts';
import { loadVisionSpace } from './Generation.ts';

export const TextModel: TextModelResolvers = {
  id: ({ id }) => encodeNodeId('TextModel', id),
  visionSpace: ({ visionSpaceId }, _args, context) => loadVisionSpace(visionSpaceId, context),
};
