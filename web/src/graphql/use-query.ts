import { useCallback, useEffect, useState } from 'react';
import { toClientError } from './to-client-error.ts';
import type { ClientError } from './client.ts';

export type QueryState<Data> =
  | { readonly state: 'loading' }
  | { readonly state: 'ready'; readonly data: Data }
  | { readonly state: 'failed'; readonly error: ClientError };

/**
 * Loads once for each `key`, and again on `reload`. What was loaded for another key is never shown, and what is no longer
 * wanted is aborted; a reload shows what there was until the new answer is in.
 */
export function useQuery<Data>(
  key: string,
  load: (signal: AbortSignal) => Promise<Data>,
): readonly [QueryState<Data>, () => void] {
  const [reloads, setReloads] = useState(0);
  const [answer, setAnswer] = useState<{ key: string; state: QueryState<Data> } | null>(null);

  useEffect(() => {
    const abort = new AbortController();
    const settle = (state: QueryState<Data>): void => {
      if (!abort.signal.aborted) setAnswer({ key, state });
    };
    load(abort.signal).then(
      (data) => {
        settle({ state: 'ready', data });
      },
      (error: unknown) => {
        settle({ state: 'failed', error: toClientError(error) });
      },
    );
    return () => {
      abort.abort();
    };
    // `load` is made anew at every rendering; what it loads is named by `key`.
  }, [key, reloads]);

  const reload = useCallback(() => {
    setReloads((count) => count + 1);
  }, []);
  return [answer?.key === key ? answer.state : { state: 'loading' }, reload];
}
