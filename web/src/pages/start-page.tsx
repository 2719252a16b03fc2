import type { ReactNode } from 'react';
import { Code, Notice } from '../components/notice.tsx';
import { Problem } from '../components/problem.tsx';
import { SkeletonGrid } from '../components/skeleton-grid.tsx';
import type { StartQuery } from '../generated/operations.ts';
import type { Client } from '../graphql/client.ts';
import { useClient } from '../graphql/client-context.ts';
import { START } from '../graphql/operations.ts';
import { useQuery } from '../graphql/use-query.ts';

export type CollectionSummary = StartQuery['collections']['edges'][number]['node'];

/** What every search needs to know first. */
export interface Start {
  readonly viewer: StartQuery['viewer'];
  /** At least one. */
  readonly collections: readonly [CollectionSummary, ...CollectionSummary[]];
}

/** Finds out who asks and what there is to search, then shows its child. */
export function StartPage({
  children,
}: {
  readonly children: (start: Start) => ReactNode;
}): ReactNode {
  const client = useClient();
  const [start, reload] = useQuery('start', (signal) => loadStart(client, signal));
  switch (start.state) {
    case 'loading':
      return (
        <main className="page" aria-busy="true">
          <SkeletonGrid />
        </main>
      );
    case 'failed':
      return (
        <main className="page">
          <Problem error={start.error} onRetry={reload} />
        </main>
      );
    case 'ready': {
      const [first, ...others] = start.data.collections;
      if (first === undefined) return <NoCollections onRetry={reload} />;
      return children({ viewer: start.data.viewer, collections: [first, ...others] });
    }
  }
}

function NoCollections({ onRetry }: { readonly onRetry: () => void }): ReactNode {
  return (
    <main className="page">
      <Notice title="There is no collection yet">
        <p>
          Make one out of a folder of photos, on the computer that runs the server:
          <Code>bin/sharelock index FOLDER --collection NAME</Code>
        </p>
        <button type="button" className="button" onClick={onRetry}>
          Look again
        </button>
      </Notice>
    </main>
  );
}

async function loadStart(
  client: Client,
  signal: AbortSignal,
): Promise<{ viewer: StartQuery['viewer']; collections: readonly CollectionSummary[] }> {
  const collections: CollectionSummary[] = [];
  let after: string | null = null;
  for (;;) {
    const page: StartQuery = await client.execute(START, { first: 100, after }, { signal });
    collections.push(...page.collections.edges.map(({ node }) => node));
    after = page.collections.pageInfo.endCursor;
    if (!page.collections.pageInfo.hasNextPage || after === null) {
      return { viewer: page.viewer, collections };
    }
  }
}
