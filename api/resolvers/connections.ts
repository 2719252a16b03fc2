import type { Connection } from '../connections.ts';
import type {
  CollectionConnectionResolvers,
  ImageConnectionResolvers,
  JobConnectionResolvers,
  JobItemConnectionResolvers,
  PageInfo,
  SearchConnectionResolvers,
} from '../generated/resolvers.ts';

interface Page {
  readonly edges: readonly { readonly cursor: string }[];
  readonly hasNextPage: boolean;
}

function pageInfoOf({ edges, hasNextPage }: Page): PageInfo {
  return {
    hasNextPage,
    hasPreviousPage: false,
    startCursor: edges[0]?.cursor ?? null,
    endCursor: edges.at(-1)?.cursor ?? null,
  };
}

function resolversOf<Node>() {
  return {
    edges: ({ edges }: Connection<Node>) => [...edges],
    pageInfo: pageInfoOf,
    totalCount: ({ totalCount }: Connection<Node>) => totalCount(),
  };
}

export const CollectionConnection: CollectionConnectionResolvers = resolversOf();
export const ImageConnection: ImageConnectionResolvers = resolversOf();
export const JobConnection: JobConnectionResolvers = resolversOf();
export const JobItemConnection: JobItemConnectionResolvers = resolversOf();

export const SearchConnection: SearchConnectionResolvers = {
  edges: ({ edges }) => edges.map((edge) => ({ ...edge, probability: null })),
  pageInfo: ({ hasNextPage, startCursor, endCursor }) => ({
    ...{ hasNextPage, hasPreviousPage: false, startCursor, endCursor },
  }),
  cutReason: () => null,
};
