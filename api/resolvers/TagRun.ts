import { z } from 'zod';
import type { TagSampleRecord } from '../../indexer/tagging/preview.ts';
import { countRunLabels, listRunLabels, type TagRunRecord } from '../../store/tag-runs.ts';
import { hasRole } from '../auth/viewer.ts';
import { paginate } from '../connections.ts';
import type { Context } from '../context.ts';
import type {
  LabelPreviewResolvers,
  TagRunResolvers,
  TagRunState,
  TagSampleResolvers,
} from '../generated/resolvers.ts';
import { encodeNodeId } from '../node-ids.ts';

const MOST_LABELS = 1000;
/** Where a page ended: a count and a position. */
const PLACE = z.string().regex(/^\d{1,9} \d{1,9}$/);

export const TagRun: TagRunResolvers = {
  id: ({ id }) => encodeNodeId('TagRun', id),
  collection: ({ collectionId }, _args, { loaders }) =>
    still(loaders.collection.load(collectionId)),
  vocabulary: ({ vocabularyId }, _args, { loaders }) =>
    still(loaders.vocabulary.load(vocabularyId)),
  vocabularyVersion: ({ version }) => version,
  textModel: async ({ textModelId }, _args, { loaders }) =>
    still(Promise.resolve((await loaders.textModels()).find(({ id }) => id === textModelId))),
  state: stateOf,
  isStale: async ({ collectionId, textModelId }, _args, { loaders }) =>
    (await loaders.liveGeneration.load(collectionId))?.textModelId !== textModelId,
  supersededBy: ({ supersededById }, _args, { loaders }) =>
    supersededById === null ? null : loaders.tagRun.load(supersededById),
  images: ({ imageCount }) => imageCount,
  tagged: ({ taggedCount }) => taggedCount,
  tags: ({ tagCount }) => tagCount,
  labels: ({ id }, args, { services }) =>
    paginate(args, {
      ...{ kind: `labels of run ${id}`, key: PLACE, most: MOST_LABELS },
      keyOf: ({ count, position }) => `${count} ${position}`,
      read: ({ after, limit }) =>
        listRunLabels(services.database.pool, id, { after: placeOf(after), limit }),
      count: () => countRunLabels(services.database.pool, id),
    }),
  createdBy: ({ createdBy }, _args, { viewer }) => (hasRole(viewer, 'CURATOR') ? createdBy : null),
  job: ({ jobId }, _args, { loaders, viewer }) =>
    jobId === null || !hasRole(viewer, 'CURATOR') ? null : loaders.job.load(jobId),
};

function stateOf({ state, isAbandoned }: TagRunRecord): TagRunState {
  if (isAbandoned) return 'ABANDONED';
  return state === 'BUILDING' ? 'RUNNING' : state;
}

function placeOf(cursor: string | null): { count: number; position: number } | null {
  if (cursor === null) return null;
  const [count = 0, position = 0] = cursor.split(' ').map(Number);
  return { count, position };
}

async function still<T>(found: Promise<T | null | undefined>): Promise<T> {
  const record = await found;
  if (record) return record;
  throw new Error('A tag run outlived what it is of.'); // deleted while this was answered
}

export const LabelPreview: LabelPreviewResolvers = {
  best: ({ best }, _args, context) => presentOf(best, context),
  borderline: ({ borderline }, _args, context) => presentOf(borderline, context),
};

/** Images may be deleted while others are looked at. */
async function presentOf(
  samples: readonly TagSampleRecord[],
  { loaders }: Context,
): Promise<TagSampleRecord[]> {
  const images = await loaders.image.loadMany(samples.map(({ imageId }) => imageId));
  return samples.filter((_, i) => images[i] !== null);
}

export const TagSample: TagSampleResolvers = {
  image: ({ imageId }, _args, { loaders }) => still(loaders.image.load(imageId)),
};
