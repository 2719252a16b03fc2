import { PlatformError } from '../../platform/errors.ts';
import type { CollectionRecord } from '../../store/collections.ts';
import { COMPLETE } from '../../store/generation-switch.ts';
import { findGeneration, type GenerationRecord } from '../../store/generations.ts';
import type { TextModelRecord, VisionSpaceRecord } from '../../store/model-registry.ts';
import { hasRole } from '../auth/viewer.ts';
import type { Context } from '../context.ts';
import type { ReadList } from '../loaders/model-lists.ts';
import { idOf } from '../node-ids.ts';

export interface Searched {
  readonly generation: GenerationRecord;
  readonly visionSpace: VisionSpaceRecord;
  /** Null: none of the generation's vision space is known. */
  readonly textModel: TextModelRecord | null;
}

export interface Wanted {
  /** `name@version`. Default: the generation's. */
  readonly textModel?: string | null | undefined;
  /** Default: the live one. */
  readonly generation?: GenerationRecord | null;
}

/**
 * What a search in the collection goes through. One row says which generation and which text model, so that nobody sees half of a
 * switch.
 */
export async function findSearched(
  { loaders }: Pick<Context, 'loaders'>,
  collection: CollectionRecord,
  { textModel: name, generation: chosen }: Wanted = {},
): Promise<Searched> {
  const generation = chosen ?? (await getLive({ loaders }, collection));
  const visionSpace = await findListed(loaders.visionSpaces, generation.visionSpaceId);
  if (!visionSpace) throw new Error('A generation without its vision space.');
  const textModel = await findTextModel(loaders, generation, name ?? null);
  return { generation, visionSpace, textModel };
}

async function getLive(
  { loaders }: Pick<Context, 'loaders'>,
  { id, name }: CollectionRecord,
): Promise<GenerationRecord> {
  const generation = await loaders.liveGeneration.load(id);
  if (generation) return generation;
  const message = `The collection "${name}" has no live generation yet.`;
  throw new PlatformError('GENERATION_NOT_READY', message);
}

/** A generation that may be searched beside the live one. Throws `FORBIDDEN`, `NOT_FOUND`, `GENERATION_NOT_READY`. */
export async function getSearchable(
  { services, viewer }: Context,
  { id, name }: CollectionRecord,
  nodeId: string,
): Promise<GenerationRecord> {
  if (!hasRole(viewer, 'CURATOR')) {
    throw new PlatformError('FORBIDDEN', 'Searching a chosen generation needs the role CURATOR.');
  }
  const { prisma } = services.database;
  const generation = await findGeneration(prisma, idOf('Generation', nodeId) ?? '');
  if (generation?.collectionId !== id) {
    const message = `The collection "${name}" has no generation "${nodeId.slice(0, 100)}".`;
    throw new PlatformError('NOT_FOUND', message);
  }
  const { state, discardedAt } = generation;
  if (COMPLETE.has(state) && discardedAt === null) return generation;
  const story = discardedAt === null ? state : 'discarded';
  const message = `The generation is ${story}; it would have to be LIVE, READY or RETIRED.`;
  throw new PlatformError('GENERATION_NOT_READY', message);
}

/** Rows of another process may be newer than what is kept of the list. */
async function findListed<T extends { readonly id: string }>(
  read: ReadList<T>,
  wanted: string,
): Promise<T | null> {
  const find = (all: readonly T[]): T | undefined => all.find(({ id }) => id === wanted);
  return find(await read()) ?? find(await read(true)) ?? null;
}

async function findTextModel(
  loaders: Context['loaders'],
  { textModelId }: GenerationRecord,
  name: string | null,
): Promise<TextModelRecord | null> {
  if (name === null) {
    return textModelId === null ? null : findListed(loaders.textModels, textModelId);
  }
  const models = await loaders.textModels();
  const found = models.find((model) => `${model.name}@${model.version}` === name);
  if (found) return found;
  const known = models.map((model) => `${model.name}@${model.version}`).join(', ');
  const message = `There is no text model "${name.slice(0, 100)}". There are: ${known}.`;
  throw new PlatformError('NOT_FOUND', message);
}
