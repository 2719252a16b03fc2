import { indexKeyName } from '../../store/changes.ts';
import type { VisionSpaceId } from '../../store/ids.ts';
import type { VisionSpaceRecord } from '../../store/model-registry.ts';
import type { Context } from '../context.ts';
import type { GenerationResolvers } from '../generated/resolvers.ts';
import { encodeNodeId } from '../node-ids.ts';

export const Generation: GenerationResolvers = {
  id: ({ id }) => encodeNodeId('Generation', id),
  visionSpace: ({ visionSpaceId }, _args, context) => loadVisionSpace(visionSpaceId, context),
  images: async (generation, _args, { loaders }) =>
    (await loaders.indexedCount.load(indexKeyName(generation))) ?? 0,
};

export async function loadVisionSpace(
  id: VisionSpaceId,
  { loaders }: Pick<Context, 'loaders'>,
): Promise<VisionSpaceRecord> {
  const space = (await loaders.visionSpaces()).find((one) => one.id === id);
  if (space) return space;
  throw new Error(`The vision space ${id} has no row.`);
}
