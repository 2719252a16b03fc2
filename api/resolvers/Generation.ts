import { z } from 'zod';
import { indexKeyName } from '../../store/changes.ts';
import { findJob } from '../../store/jobs.ts';
import type { VisionSpaceId } from '../../store/ids.ts';
import type { VisionSpaceRecord } from '../../store/model-registry.ts';
import { hasRole } from '../auth/viewer.ts';
import type { Context } from '../context.ts';
import type { GenerationResolvers } from '../generated/resolvers.ts';
import { encodeNodeId } from '../node-ids.ts';

const CHECKS = z.array(z.object({ name: z.string(), passed: z.boolean(), detail: z.string() }));

export const Generation: GenerationResolvers = {
  id: ({ id }) => encodeNodeId('Generation', id),
  collection: async ({ collectionId }, _args, { loaders }) => {
    const collection = await loaders.collection.load(collectionId);
    if (collection) return collection;
    throw new Error('A generation outlived its collection.'); // deleted while this was answered
  },
  visionSpace: ({ visionSpaceId }, _args, context) => loadVisionSpace(visionSpaceId, context),
  textModel: async ({ textModelId }, _args, { loaders }) =>
    (await loaders.textModels()).find(({ id }) => id === textModelId) ?? null,
  // The entries of a discarded one are going, and may be another's by now.
  images: async (generation, _args, { loaders }) =>
    generation.discardedAt === null
      ? ((await loaders.indexedCount.load(indexKeyName(generation))) ?? 0)
      : 0,
  checks: ({ checks }) => CHECKS.safeParse(checks).data ?? [],
  // Who may not see jobs gets none.
  job: ({ jobId }, _args, { services, viewer }) =>
    jobId === null || !hasRole(viewer, 'CURATOR') ? null : findJob(services.database.prisma, jobId),
};

export async function loadVisionSpace(
  id: VisionSpaceId,
  { loaders }: Pick<Context, 'loaders'>,
): Promise<VisionSpaceRecord> {
  const space = (await loaders.visionSpaces()).find((one) => one.id === id);
  if (space) return space;
  throw new Error(`The vision space ${id} has no row.`);
}
