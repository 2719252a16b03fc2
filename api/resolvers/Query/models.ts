import { listGenerations } from '../../../store/generations.ts';
import { getVisibleCollection } from '../../auth/visible.ts';
import type { QueryResolvers } from '../../generated/resolvers.ts';

export const visionSpaces: NonNullable<QueryResolvers['visionSpaces']> = async (
  _parent,
  _args,
  { loaders },
) => [...(await loaders.visionSpaces())];

export const textModels: NonNullable<QueryResolvers['textModels']> = async (
  _parent,
  _args,
  { loaders },
) => [...(await loaders.textModels())];

export const generations: NonNullable<QueryResolvers['generations']> = async (
  _parent,
  { collection },
  context,
) => {
  const { id } = await getVisibleCollection(context, collection);
  return [...(await listGenerations(context.services.database.prisma, id))];
};
