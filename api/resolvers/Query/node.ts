import { PlatformError } from '../../../platform/errors.ts';
import type { QueryResolvers } from '../../generated/resolvers.ts';
import { findNode } from '../../nodes.ts';

const MOST_NODES = 100;

export const node: NonNullable<QueryResolvers['node']> = (_parent, { id }, context) =>
  findNode(context, id);

export const nodes: NonNullable<QueryResolvers['nodes']> = (_parent, { ids }, context) => {
  if (ids.length > MOST_NODES) {
    throw new PlatformError('BAD_USER_INPUT', `"ids" takes at most ${MOST_NODES}.`);
  }
  return Promise.all(ids.map((id) => findNode(context, id)));
};
