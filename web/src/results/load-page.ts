import type { RankedPageFragment } from '../generated/operations.ts';
import type { Client } from '../graphql/client.ts';
import { IMAGES, SEARCH, SIMILAR_IMAGES } from '../graphql/operations.ts';
import type { ResolvedSearch, ResultPage } from './result-page.ts';

const PAGE_SIZE = 40;

export async function loadPage(
  client: Client,
  { collection, query, like, tags = [] }: ResolvedSearch,
  after: string | null,
  signal: AbortSignal,
): Promise<ResultPage> {
  const filter = tags.length === 0 ? null : { tags: { allOf: tags } };
  const page = { filter, first: PAGE_SIZE, after };
  if (like !== null) {
    const data = await client.execute(SIMILAR_IMAGES, { imageId: like, ...page }, { signal });
    return toResultPage(data.similarImages);
  }
  if (query !== '') {
    const data = await client.execute(SEARCH, { collection, text: query, ...page }, { signal });
    return toResultPage(data.search);
  }
  const { images } = await client.execute(IMAGES, { collection, ...page }, { signal });
  return {
    hits: images.edges.map(({ node }) => ({ image: node, ranking: null })),
    next: nextCursor(images.pageInfo),
    totalCount: images.totalCount,
    timing: null,
    cutReason: null,
  };
}

function toResultPage(ranked: RankedPageFragment): ResultPage {
  return {
    hits: ranked.edges.map(({ node, rank, score }) => ({ image: node, ranking: { rank, score } })),
    next: nextCursor(ranked.pageInfo),
    totalCount: null,
    timing: { path: ranked.path, ms: ranked.tookMs.total },
    cutReason: ranked.cutReason,
  };
}

function nextCursor(pageInfo: RankedPageFragment['pageInfo']): string | null {
  return pageInfo.hasNextPage ? pageInfo.endCursor : null;
}
