import { useEffect, useRef, useState } from 'react';
import type { ClientError } from './client.ts';
import { toClientError } from './to-client-error.ts';
import { useQuery, type QueryState } from './use-query.ts';

export interface PageOf<Item> {
  readonly items: readonly Item[];
  /** Where the next page begins; null when this is the last. */
  readonly next: string | null;
  readonly totalCount: number;
}

export interface Pages<Item> {
  /** The pages so far, as one. */
  readonly query: QueryState<PageOf<Item>>;
  readonly isLoadingMore: boolean;
  /** Why the last `loadMore` brought nothing. */
  readonly error: ClientError | null;
  readonly loadMore: () => void;
  /** Begins again with the first page. */
  readonly reload: () => void;
}

interface More<Item> {
  /** The first page that these follow; with another one they mean nothing. */
  readonly first: PageOf<Item> | null;
  readonly items: readonly Item[];
  readonly next: string | null;
  readonly isLoading: boolean;
  readonly error: ClientError | null;
}

/** The pages of a list, as far as somebody asked for them. */
export function usePages<Item>(
  key: string,
  load: (after: string | null, signal: AbortSignal) => Promise<PageOf<Item>>,
): Pages<Item> {
  const [query, reload] = useQuery(key, (signal) => load(null, signal));
  const [more, setMore] = useState<More<Item>>(nothingAfter(null));
  const inFlight = useRef<AbortController>(null);
  useEffect(
    () => () => {
      inFlight.current?.abort();
    },
    [key],
  );
  const first = query.state === 'ready' ? query.data : null;
  const known = more.first === first ? more : nothingAfter(first);

  async function loadNext(after: string): Promise<void> {
    const { signal } = (inFlight.current = new AbortController());
    setMore({ ...known, isLoading: true, error: null });
    const settled = await load(after, signal).then(
      ({ items, next }) => ({ items: [...known.items, ...items], next, error: null }),
      (error: unknown) => ({ error: toClientError(error) }),
    );
    if (!signal.aborted) setMore({ ...known, ...settled, isLoading: false });
  }

  return {
    query:
      first === null
        ? query
        : {
            state: 'ready',
            data: { ...first, items: [...first.items, ...known.items], next: known.next },
          },
    isLoadingMore: known.isLoading,
    error: known.error,
    loadMore: () => {
      if (known.next !== null && !known.isLoading) void loadNext(known.next);
    },
    reload,
  };
}

function nothingAfter<Item>(first: PageOf<Item> | null): More<Item> {
  return { first, items: [], next: first?.next ?? null, isLoading: false, error: null };
}
