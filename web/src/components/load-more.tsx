import { useEffect, useEffectEvent, useRef, type ReactNode } from 'react';
import type { Results } from '../results/use-results.ts';

/** Loads by itself when it comes near the window; stays a button for those who don't scroll, and after an error. */
export function LoadMore({ results }: { readonly results: Results }): ReactNode {
  const button = useRef<HTMLButtonElement>(null);
  const { next, isLoadingMore, error } = results;
  const loadUnlessFailed = useEffectEvent(() => {
    if (error === null) results.loadMore();
  });

  useEffect(() => {
    if (button.current === null || isLoadingMore) return undefined;
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some(({ isIntersecting }) => isIntersecting)) loadUnlessFailed();
      },
      { rootMargin: '600px' },
    );
    observer.observe(button.current);
    return () => {
      observer.disconnect();
    };
  }, [next, isLoadingMore, error]);

  if (next === null) return null;
  return (
    <div className="load-more">
      {error === null ? null : (
        <p role="alert">
          {error.code === 'CURSOR_EXPIRED'
            ? 'The collection has changed since this search.'
            : error.message}{' '}
          <code>{error.code}</code>
        </p>
      )}
      <button
        ref={button}
        type="button"
        className="button"
        aria-disabled={isLoadingMore}
        onClick={error?.code === 'CURSOR_EXPIRED' ? results.reload : results.loadMore}
      >
        {label(results)}
      </button>
    </div>
  );
}

function label({ isLoadingMore, error }: Results): string {
  if (isLoadingMore) return 'Loading…';
  if (error === null) return 'Load more';
  return error.code === 'CURSOR_EXPIRED' ? 'Search again' : 'Try again';
}
