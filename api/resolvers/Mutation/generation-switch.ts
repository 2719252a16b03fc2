import { PlatformError } from '../../../platform/errors.ts';
import {
  COMPLETE,
  discardGeneration as discard,
  promoteGeneration as promote,
  rollbackGeneration as rollback,
} from '../../../store/generation-switch.ts';
import {
  findGeneration,
  listKeptGenerations,
  type GenerationRecord,
} from '../../../store/generations.ts';
import type { GenerationId } from '../../../store/ids.ts';
import { canSee } from '../../auth/viewer.ts';
import { getVisibleCollection } from '../../auth/visible.ts';
import { audit } from '../../audit.ts';
import type { Context } from '../../context.ts';
import type { MutationResolvers } from '../../generated/resolvers.ts';
import { idOf } from '../../node-ids.ts';
import { inField, payload } from '../user-errors.ts';

export const promoteGeneration: NonNullable<MutationResolvers['promoteGeneration']> = (
  _parent,
  { input },
  context,
) =>
  payload({ generation: null }, async () => {
    const { database, now } = context.services;
    const generation = await inField('id', getVisibleGeneration(context, input.id));
    if (COMPLETE.has(generation.state) && generation.discardedAt === null)
      await warmUp(context, generation);
    await inField('id', promote(database.pool, generation.id, now()));
    return record(context, 'promoteGeneration', generation.id);
  });

export const rollbackGeneration: NonNullable<MutationResolvers['rollbackGeneration']> = (
  _parent,
  { input },
  context,
) =>
  payload({ generation: null }, async () => {
    const { database, now } = context.services;
    const collection = await inField('collection', getVisibleCollection(context, input.collection));
    const kept = await listKeptGenerations(database.prisma, collection.id);
    for (const one of kept) if (one.state === 'RETIRED') await warmUp(context, one);
    const id = await inField('collection', rollback(database.pool, collection.id, now()));
    return record(context, 'rollbackGeneration', id);
  });

export const discardGeneration: NonNullable<MutationResolvers['discardGeneration']> = (
  _parent,
  { input },
  context,
) =>
  payload({ generation: null }, async () => {
    const { database, now } = context.services;
    const { id } = await inField('id', getVisibleGeneration(context, input.id));
    await inField('id', discard(database.pool, id, now()));
    return record(context, 'discardGeneration', id);
  });

/** The first search after the switch finds its index and its text model loaded. Throws `MODEL_MISMATCH` when the model isn't here. */
async function warmUp({ services, loaders }: Context, generation: GenerationRecord): Promise<void> {
  const index = await services.indexes.get(generation);
  await index.ready;
  const models = await loaders.textModels();
  const textModel = models.find(({ id }) => id === generation.textModelId);
  if (textModel === undefined) return; // promoting says so
  await (await services.textModels.get(textModel)).encode('a photo');
}

async function record(
  context: Context,
  action: string,
  id: GenerationId,
): Promise<{ generation: GenerationRecord }> {
  const generation = await findGeneration(context.services.database.prisma, id);
  if (generation === null) throw notFound(id);
  const { number, collectionId } = generation;
  await audit(context, { action, subject: collectionId, detail: { generation: id, number } });
  return { generation };
}

async function getVisibleGeneration(
  { services, viewer }: Context,
  nodeId: string,
): Promise<GenerationRecord> {
  const found = await findGeneration(services.database.prisma, idOf('Generation', nodeId) ?? '');
  if (found !== null && canSee(viewer, found.collectionId)) return found;
  throw notFound(nodeId);
}

function notFound(id: string): PlatformError {
  return new PlatformError('NOT_FOUND', `There is no generation "${id.slice(0, 100)}".`);
}
