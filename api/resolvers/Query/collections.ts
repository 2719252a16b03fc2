import { z } from 'zod';
import { countCollections, listCollections } from '../../../store/collections.ts';
import { paginate } from '../../connections.ts';
import type { QueryResolvers } from '../../generated/resolvers.ts';

export const collections: NonNullable<QueryResolvers['collections']> = (
  _parent,
  args,
  { services, viewer },
) => {
  const { prisma } = services.database;
  const among = viewer.collections;
  return paginate(args, {
    kind: 'collections',
    key: z.string().max(200),
    keyOf: ({ name }) => name,
    read: (page) => listCollections(prisma, { ...page, among }),
    count: () => countCollections(prisma, among),
  });
};
