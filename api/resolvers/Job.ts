import { z } from 'zod';
import { revertInput } from '../../indexer/jobs/tag-input.ts';
import { listItems } from '../../store/job-items.ts';
import { countItems, type ItemCounts } from '../../store/job-progress.ts';
import { asGenerationId } from '../../store/ids.ts';
import type { JobRecord } from '../../store/jobs.ts';
import { NUMBER_KEY, paginate } from '../connections.ts';
import { hasRole } from '../auth/viewer.ts';
import type { Context } from '../context.ts';
import type { JobItemResolvers, JobResolvers } from '../generated/resolvers.ts';
import { encodeNodeId } from '../node-ids.ts';

/** What kinds write as their plan; a number one doesn't know is 0. */
const PLAN = z.object({
  files: z.number().default(0),
  toRead: z.number().default(0),
  toEmbed: z.number().optional(),
  reused: z.number().default(0),
  unchanged: z.number().default(0),
  vanished: z.number().default(0),
  toRemove: z.number().default(0),
  bytesToRead: z.number().default(0),
  estimatedBytes: z.number().default(0),
  estimatedSeconds: z.number().nullable().default(null),
});

const BUILT = z.object({ generationId: z.uuid() });

export const Job: JobResolvers = {
  id: ({ id }) => encodeNodeId('Job', id),
  collection: ({ collectionId }, _args, { loaders }) =>
    collectionId === null ? null : loaders.collection.load(collectionId),
  total: async (job, _args, context) =>
    job.state === 'PLANNED' ? null : (await countsOf(job, context)).total,
  done: async (job, _args, context) => (await countsOf(job, context)).done,
  failed: async (job, _args, context) => (await countsOf(job, context)).failed,
  skipped: async (job, _args, context) => (await countsOf(job, context)).skipped,
  itemsPerSecond: rateOf,
  etaSeconds: async (job, _args, context) => {
    const rate = await rateOf(job, _args, context);
    return rate === null || rate === 0 ? null : (await countsOf(job, context)).open / rate;
  },
  createdBy: ({ createdBy }, _args, { viewer }) => (hasRole(viewer, 'ADMIN') ? createdBy : null),
  plan: ({ plan }) => {
    const made = PLAN.safeParse(plan).data;
    return made ? { ...made, toEmbed: made.toEmbed ?? made.toRead } : null;
  },
  generation: ({ plan }, _args, { loaders }) => {
    const built = BUILT.safeParse(plan).data;
    return built ? loaders.generation.load(asGenerationId(built.generationId)) : null;
  },
  tagRun: ({ id, kind, input }, _args, { loaders }) => {
    if (kind === 'TAG') return loaders.tagRunOfJob.load(id);
    const reverted = kind === 'REVERT_TAGS' ? revertInput.safeParse(input).data : undefined;
    return reverted ? loaders.tagRun.load(reverted.tagRunId) : null;
  },
  failures: ({ id }, args, { services }) =>
    paginate(args, {
      kind: `failures ${id}`,
      key: NUMBER_KEY,
      keyOf: (item) => item.id.toString(),
      read: ({ after, limit }) =>
        listItems(services.database.pool, {
          ...{ jobId: id, state: 'FAILED', limit },
          after: after === null ? null : BigInt(after),
        }),
      count: async () => (await countItems(services.database.pool, id)).failed,
    }),
};

export const JobItem: JobItemResolvers = {
  id: ({ id }) => encodeNodeId('JobItem', id),
  image: ({ imageId }, _args, { loaders }) =>
    imageId === null ? null : loaders.image.load(imageId),
};

async function countsOf({ id }: JobRecord, { loaders }: Context): Promise<ItemCounts> {
  const counts = await loaders.itemCounts.load(id);
  return counts ?? { total: 0, open: 0, done: 0, failed: 0, skipped: 0 };
}

/** Null unless it runs: a finished job's last minute says nothing. */
async function rateOf(
  { id, state }: JobRecord,
  _args: unknown,
  { loaders }: Context,
): Promise<number | null> {
  return state === 'RUNNING' ? loaders.rate.load(id) : null;
}
