import { z } from 'zod';
import { asJobId } from '../../../store/ids.ts';
import { countJobs, listJobs } from '../../../store/jobs.ts';
import { getVisibleCollection } from '../../auth/visible.ts';
import { paginate } from '../../connections.ts';
import type { QueryResolvers } from '../../generated/resolvers.ts';

export const jobs: NonNullable<QueryResolvers['jobs']> = async (
  _parent,
  { collection, state, ...page },
  context,
) => {
  const { services, viewer } = context;
  const { prisma } = services.database;
  const named = collection ? await getVisibleCollection(context, collection) : null;
  const filter = {
    collectionId: named?.id ?? null,
    among: viewer.collections,
    state: state ?? null,
  };
  return paginate(page, {
    kind: 'jobs',
    key: z.uuid(),
    keyOf: ({ id }) => id,
    read: ({ after, limit }) =>
      listJobs(prisma, { ...filter, after: after === null ? null : asJobId(after), limit }),
    count: () => countJobs(prisma, filter),
  });
};
