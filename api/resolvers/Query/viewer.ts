import type { QueryResolvers } from '../../generated/resolvers.ts';

export const viewer: NonNullable<QueryResolvers['viewer']> = (_parent, _args, context) =>
  context.viewer;
