import { findVisibleImage } from '../../auth/visible.ts';
import type { QueryResolvers } from '../../generated/resolvers.ts';

export const image: NonNullable<QueryResolvers['image']> = (_parent, { id }, context) =>
  findVisibleImage(context, id);
