import type { ReactNode } from 'react';
import type { QueryState } from '../graphql/use-query.ts';
import { Problem } from './problem.tsx';

/** What was loaded, or in its place that it is on its way or why it didn't come. */
export function Loaded<Data>({
  query,
  onRetry,
  children,
}: {
  readonly query: QueryState<Data>;
  readonly onRetry: () => void;
  readonly children: (data: Data) => ReactNode;
}): ReactNode {
  switch (query.state) {
    case 'loading':
      return (
        <p className="panel-note" role="status">
          Loading…
        </p>
      );
    case 'failed':
      return <Problem error={query.error} onRetry={onRetry} />;
    case 'ready':
      return children(query.data);
  }
}
