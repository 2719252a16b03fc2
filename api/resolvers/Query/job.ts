import { findVisibleJob } from '../../auth/visible.ts';
import type { QueryResolvers } from '../../generated/resolvers.ts';

export const job: NonNullable<QueryResolvers['job']> = (_parent, { id }, context) =>
  findVisibleJob(context, id);
