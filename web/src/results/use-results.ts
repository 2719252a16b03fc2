import { useEffect, useMemo, useSyncExternalStore } from 'react';
import { useClient } from '../graphql/client-context.ts';
import type { Client } from '../graphql/client.ts';
import { searchHref } from '../location.ts';
import { loadPage } from './load-page.ts';
import type { ResolvedSearch } from './result-page.ts';
import { ResultFeed, type FeedSnapshot } from './result-feed.ts';

/** Links to pictures are good for an hour; older results are fetched anew before that. */
const MAX_AGE_MS = 45 * 60 * 1000;

/** How many searches are kept, so that going back shows at once what was there, at the place it was. */
const MAX_FEEDS = 12;

export interface Results extends FeedSnapshot {
  readonly loadMore: () => void;
  readonly reload: () => void;
}

const feeds = new Map<string, ResultFeed>();

export function useResults(search: ResolvedSearch): Results {
  const client = useClient();
  const key = searchHref(search);
  const feed = useMemo(() => feedOf(client, search), [client, key]);
  const snapshot = useSyncExternalStore(feed.subscribe, feed.getSnapshot);

  useEffect(() => {
    feed.start();
    const reloadWhenOld = (): void => {
      if (!document.hidden && feed.ageMs > MAX_AGE_MS) feed.reload();
    };
    document.addEventListener('visibilitychange', reloadWhenOld);
    return () => {
      document.removeEventListener('visibilitychange', reloadWhenOld);
      feed.stop();
    };
  }, [feed]);

  return { ...snapshot, loadMore: feed.loadMore, reload: feed.reload };
}

/** After a change of the collections: nothing that was kept is right any more. The feed on show is reloaded by its page. */
export function forgetResults(): void {
  feeds.clear();
}

function feedOf(client: Client, search: ResolvedSearch): ResultFeed {
  const key = searchHref(search);
  const kept = feeds.get(key);
  feeds.delete(key);
  const feed =
    kept !== undefined && kept.ageMs < MAX_AGE_MS
      ? kept
      : new ResultFeed((after, signal) => loadPage(client, search, after, signal));
  feeds.set(key, feed); // last in the map: used last
  const [oldest] = feeds.keys();
  if (feeds.size > MAX_FEEDS && oldest !== undefined) feeds.delete(oldest);
  return feed;
}
