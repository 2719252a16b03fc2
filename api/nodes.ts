import { findApiKey } from '../store/api-keys.ts';
import {
  asCollectionId,
  asGenerationId,
  asImageId,
  asJobId,
  asLabelId,
  asSourceId,
  asTagRunId,
  asVocabularyId,
} from '../store/ids.ts';
import { findItem } from '../store/job-summaries.ts';
import { findJob } from '../store/jobs.ts';
import { findSource } from '../store/sources.ts';
import type { CollectionId } from '../store/ids.ts';
import { canSee, hasRole } from './auth/viewer.ts';
import { isVisibleJob } from './auth/visible.ts';
import type { Context } from './context.ts';
import type { ResolversInterfaceTypes } from './generated/resolvers.ts';
import { decodeNodeId, type NodeType } from './node-ids.ts';

/** A record with the name of its GraphQL type, which `Node` is resolved by. */
export type NodeRecord = ResolversInterfaceTypes<Record<string, unknown>>['Node'] & {
  readonly __typename?: NodeType;
};

/** The object of a global id; null when there is none or the key may not see it. Needs what its own query would need. */
export async function findNode(context: Context, nodeId: string): Promise<NodeRecord | null> {
  const decoded = decodeNodeId(nodeId);
  if (decoded === null) return null;
  const found = await FINDERS[decoded.type](context, decoded.id);
  return found === null ? null : { ...found, __typename: decoded.type };
}

type Finder = (context: Context, id: string) => Promise<NodeRecord | null>;

/** Labels count to 2^31. */
const LARGEST_LABEL = 2 ** 31 - 1;

const FINDERS: Readonly<Record<NodeType, Finder>> = {
  ApiKey: ({ services, viewer }, id) =>
    hasRole(viewer, 'ADMIN') && viewer.collections === null
      ? findApiKey(services.database.prisma, id)
      : Promise.resolve(null),
  Collection: async (context, id) =>
    seen(context, await context.loaders.collection.load(asCollectionId(id)), (one) => one.id),
  Generation: async (context, id) =>
    seen(
      context,
      await context.loaders.generation.load(asGenerationId(id)),
      (one) => one.collectionId,
    ),
  Image: async (context, id) =>
    seen(context, await context.loaders.image.load(asImageId(id)), (one) => one.collectionId),
  Job: async ({ services, viewer }, id) => {
    const job = hasRole(viewer, 'CURATOR') ? await findJob(services.database.prisma, id) : null;
    return job !== null && isVisibleJob(viewer, job) ? job : null;
  },
  JobItem: async ({ services, viewer }, id) => {
    const { pool, prisma } = services.database;
    const item = hasRole(viewer, 'CURATOR') ? await findItem(pool, BigInt(id)) : null;
    const job = item === null ? null : await findJob(prisma, asJobId(item.jobId));
    return job !== null && isVisibleJob(viewer, job) ? item : null;
  },
  Label: async ({ loaders, viewer }, id) => {
    const label =
      Number(id) > LARGEST_LABEL ? null : await loaders.label.load(asLabelId(Number(id)));
    const isOpen = label !== null && (await loaders.vocabulary.load(label.vocabularyId))?.isOpen;
    return isOpen === true && viewer.collections !== null ? null : label;
  },
  Source: async (context, id) =>
    seen(
      context,
      await findSource(context.services.database.prisma, asSourceId(id)),
      (one) => one.collectionId,
    ),
  TagRun: async (context, id) =>
    seen(context, await context.loaders.tagRun.load(asTagRunId(id)), (one) => one.collectionId),
  TextModel: async ({ loaders }, id) =>
    (await loaders.textModels()).find((one) => one.id === id) ?? null,
  VisionSpace: async ({ loaders }, id) =>
    (await loaders.visionSpaces()).find((one) => one.id === id) ?? null,
  Vocabulary: ({ loaders }, id) => loaders.vocabulary.load(asVocabularyId(id)),
};

function seen<T>(
  { viewer }: Context,
  record: T | null,
  collectionOf: (record: T) => CollectionId,
): T | null {
  return record !== null && canSee(viewer, collectionOf(record)) ? record : null;
}
