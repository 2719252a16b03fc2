import type { NodeResolvers } from '../generated/resolvers.ts';
import type { NodeType } from '../node-ids.ts';

export const Node: NodeResolvers = {
  __resolveType: (record: { readonly __typename?: NodeType }) => {
    if (record.__typename !== undefined) return record.__typename;
    throw new Error('A node without the name of its type.');
  },
};
