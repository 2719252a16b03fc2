import { findVisibleCollection } from '../../auth/visible.ts';
import type { QueryResolvers } from '../../generated/resolvers.ts';

export const collection: NonNullable<QueryResolvers['collection']> = (_parent, { name }, context) =>
  findVisibleCollection(context, name);
