import type { NodeResolvers } from '../generated/resolvers.ts';
import type { NodeType } from '../node-ids.ts';
import type { NodeRecord } from '../nodes.ts';

export const Node: NodeResolvers = {
  __resolveType: (record) => {
    const { __typename: type }: { readonly __typename?: NodeType } = record as NodeRecord;
    if (type !== undefined) return type;
    throw new Error('A node without the name of its type.');
  },
};
