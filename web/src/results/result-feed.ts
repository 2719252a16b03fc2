import type { ClientError } from '../graphql/client.ts';
import { toClientError } from '../graphql/to-client-error.ts';
import type { Hit, ResultPage } from './result-page.ts';

export interface FeedSnapshot extends Omit<ResultPage, 'hits'> {
  readonly hits: readonly Hit[];
  /** `loading`: the first page is on its way. `failed`: there is none. */
  readonly state: 'loading' | 'ready' | 'failed';
  readonly isLoadingMore: boolean;
  /** Of the page that was asked for last; null when that came. */
  readonly error: ClientError | null;
}

const NOTHING_YET: FeedSnapshot = {
  hits: [],
  next: null,
  totalCount: null,
  timing: null,
  cutReason: null,
  state: 'loading',
  isLoadingMore: false,
  error: null,
};

/**
 * The results of one search, page after page, for `useSyncExternalStore`. At most one page is on its way; `stop` aborts it, and what
 * comes of it then is dropped, so an old answer can't take the place of a new one.
 */
export class ResultFeed {
  readonly #load: (after: string | null, signal: AbortSignal) => Promise<ResultPage>;
  readonly #now: () => number;
  readonly #listeners = new Set<() => void>();
  #snapshot = NOTHING_YET;
  #inFlight: AbortController | null = null;
  #startedAt: number | null = null;

  constructor(
    load: (after: string | null, signal: AbortSignal) => Promise<ResultPage>,
    now: () => number = Date.now,
  ) {
    this.#load = load;
    this.#now = now;
  }

  /** Milliseconds since the first page came; 0 before. */
  get ageMs(): number {
    return this.#startedAt === null ? 0 : this.#now() - this.#startedAt;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  };

  readonly getSnapshot = (): FeedSnapshot => this.#snapshot;

  /** Loads the first page unless it is there. */
  readonly start = (): void => {
    if (this.#snapshot.state !== 'ready' && this.#inFlight === null) void this.#loadFirst();
  };

  /** Begins again; what is there stays until the new first page comes. */
  readonly reload = (): void => {
    this.stop();
    void this.#loadFirst();
  };

  readonly loadMore = (): void => {
    const { state, next } = this.#snapshot;
    if (state === 'ready' && next !== null && this.#inFlight === null) void this.#loadNext(next);
  };

  readonly stop = (): void => {
    this.#inFlight?.abort();
    this.#inFlight = null;
    if (this.#snapshot.isLoadingMore) this.#update({ isLoadingMore: false });
  };

  async #loadFirst(): Promise<void> {
    if (this.#snapshot.state === 'failed') this.#update({ state: 'loading', error: null });
    await this.#attempt(null, (page) => {
      this.#startedAt = this.#now();
      this.#update({ ...page, state: 'ready', error: null });
    });
  }

  async #loadNext(after: string): Promise<void> {
    this.#update({ isLoadingMore: true, error: null });
    await this.#attempt(after, ({ hits, next }) => {
      this.#update({ hits: [...this.#snapshot.hits, ...hits], next, isLoadingMore: false });
    });
  }

  async #attempt(after: string | null, succeed: (page: ResultPage) => void): Promise<void> {
    const abort = new AbortController();
    this.#inFlight = abort;
    try {
      const page = await this.#load(after, abort.signal);
      if (this.#inFlight !== abort) return;
      this.#inFlight = null;
      succeed(page);
    } catch (error) {
      if (this.#inFlight !== abort) return;
      this.#inFlight = null;
      const state = this.#snapshot.state === 'ready' ? 'ready' : 'failed';
      this.#update({ state, error: toClientError(error), isLoadingMore: false });
    }
  }

  #update(change: Partial<FeedSnapshot>): void {
    this.#snapshot = { ...this.#snapshot, ...change };
    for (const listener of this.#listeners) listener();
  }
}
