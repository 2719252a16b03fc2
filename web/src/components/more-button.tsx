import type { ReactNode } from 'react';
import type { Pages } from '../graphql/use-pages.ts';
import { Faults } from './faults.tsx';

/** Where a list goes on; nothing at its end. */
export function MoreButton({ pages }: { readonly pages: Pages<unknown> }): ReactNode {
  const { query, isLoadingMore, error, loadMore } = pages;
  if (query.state !== 'ready' || query.data.next === null) return null;
  return (
    <div className="load-more">
      <Faults faults={error === null ? [] : [error]} />
      <button type="button" className="button" aria-disabled={isLoadingMore} onClick={loadMore}>
        {isLoadingMore ? 'Loading…' : 'Load more'}
      </button>
    </div>
  );
}
