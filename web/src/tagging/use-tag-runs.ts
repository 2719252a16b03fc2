import type { RunFactsFragment } from '../generated/operations.ts';
import { useClient } from '../graphql/client-context.ts';
import { TAG_RUNS } from '../graphql/tag-operations.ts';
import { usePages, type Pages } from '../graphql/use-pages.ts';

const PAGE_SIZE = 20;

/** A collection's runs, newest first. */
export function useTagRuns(scope: {
  readonly collection: string;
  /** Null: any. */
  readonly vocabulary: string | null;
}): Pages<RunFactsFragment> {
  const client = useClient();
  return usePages(JSON.stringify(scope), async (after, signal) => {
    const variables = { ...scope, first: PAGE_SIZE, after };
    const { edges, pageInfo, totalCount } = (await client.execute(TAG_RUNS, variables, { signal }))
      .tagRuns;
    const next = pageInfo.hasNextPage ? pageInfo.endCursor : null;
    return { items: edges.map(({ node }) => node), next, totalCount };
  });
}
