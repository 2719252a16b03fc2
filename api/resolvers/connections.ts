import type { Connection } from '../connections.ts';
import type {
  CollectionConnectionResolvers,
  ImageConnectionResolvers,
  JobConnectionResolvers,
  JobItemConnectionResolvers,
  LabelConnectionResolvers,
  PageInfo,
  ReviewItemConnectionResolvers,
  RunLabelConnectionResolvers,
  SearchConnectionResolvers,
  TagRunConnectionResolvers,
  VocabularyConnectionResolvers,
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
export const LabelConnection: LabelConnectionResolvers = resolversOf();
export const ReviewItemConnection: ReviewItemConnectionResolvers = resolversOf();
export const RunLabelConnection: RunLabelConnectionResolvers = resolversOf();
export const TagRunConnection: TagRunConnectionResolvers = resolversOf();
export const VocabularyConnection: VocabularyConnectionResolvers = resolversOf();

export const SearchConnection: SearchConnectionResolvers = {
  edges: ({ edges }) => edges.map((edge) => ({ ...edge, probability: null })),
  pageInfo: ({ hasNextPage, startCursor, endCursor }) => ({
    ...{ hasNextPage, hasPreviousPage: false, startCursor, endCursor },
  }),
  cutReason: () => null,
};
