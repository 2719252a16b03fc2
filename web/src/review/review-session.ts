import type { ReviewQueueQuery, TagVerdictInput, Verdict } from '../generated/operations.ts';
import type { ClientError } from '../graphql/client.ts';
import { toClientError } from '../graphql/to-client-error.ts';
import { VerdictOutbox } from './verdict-outbox.ts';

export type ReviewItem = ReviewQueueQuery['reviewQueue']['edges'][number]['node'];
export type Decision = 'ACCEPT' | 'REJECT' | 'SKIP';

export interface QueuePage {
  readonly items: readonly ReviewItem[];
  readonly next: string | null;
  /** Tags that wait, those of this page too. */
  readonly totalCount: number;
}

/** What a review asks of the API. */
export interface ReviewBackend {
  load(after: string | null, signal: AbortSignal): Promise<QueuePage>;
  /** Gives the verdicts that undo these. */
  send(verdicts: readonly TagVerdictInput[]): Promise<readonly TagVerdictInput[]>;
}

export interface ReviewSnapshot {
  /** `loading`: the first page is on its way. `failed`: there is none. */
  readonly state: 'loading' | 'ready' | 'failed';
  /** Of the loading of the last page. */
  readonly loadError: ClientError | null;
  readonly items: readonly ReviewItem[];
  /** By the item's place; those that aren't in it are open. */
  readonly decisions: ReadonlyMap<number, Decision>;
  /** The first place of the board on show. */
  readonly board: number;
  /** Whether there are no more items than these. */
  readonly isWhole: boolean;
  /** Accepted or rejected here. */
  readonly reviewed: number;
  /** That wait, as far as it is known. */
  readonly remaining: number;
  /** Not sent yet. */
  readonly unsent: number;
  /** Why the last sending failed; it is tried again where that may help. */
  readonly sendError: ClientError | null;
}

/** So many tags are shown at once. */
export const BOARD_SIZE = 24;
/** When fewer than that many are left, more are fetched. */
const FETCH_AHEAD = 2 * BOARD_SIZE;

const NOTHING_YET: ReviewSnapshot = {
  ...{ state: 'loading', loadError: null, items: [], decisions: new Map(), board: 0 },
  ...{ isWhole: false, reviewed: 0, remaining: 0, unsent: 0, sendError: null },
};

/**
 * One review, for `useSyncExternalStore`: the queue as far as it was fetched, what was decided, and what goes to the API in the
 * background. Tags are shown in boards, which stay as they are until all of theirs are decided, so nothing moves under the fingers.
 */
export class ReviewSession {
  readonly #backend: ReviewBackend;
  readonly #outbox: VerdictOutbox;
  readonly #listeners = new Set<() => void>();
  readonly #abort = new AbortController();
  /** Places that were decided together, last ones last. */
  readonly #history: (readonly number[])[] = [];
  #snapshot = NOTHING_YET;
  #next: string | null = null;
  #total = 0;
  #isLoading = false;

  constructor(backend: ReviewBackend) {
    this.#backend = backend;
    this.#outbox = new VerdictOutbox(
      (verdicts) => backend.send(verdicts),
      (unsent, sendError) => {
        this.#update({ unsent, sendError });
      },
    );
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  };

  readonly getSnapshot = (): ReviewSnapshot => this.#snapshot;

  /** Fetches the first page, or again what didn't come. */
  readonly start = (): void => {
    if (this.#snapshot.state !== 'ready' || this.#snapshot.loadError !== null) void this.#load();
  };

  /** What is decided is still sent. */
  readonly stop = (): void => {
    this.#abort.abort();
    this.#outbox.flush();
  };

  readonly retrySending = (): void => {
    this.#outbox.flush();
  };

  readonly decide = (places: readonly number[], decision: Decision): void => {
    const open = places.filter((place) => this.#snapshot.items[place] !== undefined);
    if (open.length === 0) return;
    const decisions = new Map(this.#snapshot.decisions);
    for (const place of open) {
      this.#send(place, decisions.get(place) ?? null, decision);
      decisions.set(place, decision);
    }
    this.#history.push(open);
    this.#decided(decisions);
    if (this.#isBoardDone()) this.showBoard(this.#snapshot.board + BOARD_SIZE);
    this.#loadAhead();
  };

  /** Takes the last decision back; gives the places it was about, which are on show then. */
  readonly undo = (): readonly number[] => {
    const places = this.#history.pop();
    if (places === undefined) return [];
    const decisions = new Map(this.#snapshot.decisions);
    for (const place of places) {
      this.#send(place, decisions.get(place) ?? null, null);
      decisions.delete(place);
    }
    this.#decided(decisions);
    this.showBoard(boardOf(places[0] ?? 0));
    return places;
  };

  /** Places beyond what there is show the last board. */
  readonly showBoard = (board: number): void => {
    const isThere = board < this.#snapshot.items.length || !this.#snapshot.isWhole;
    if (board >= 0 && isThere) this.#update({ board });
    this.#loadAhead();
  };

  #send(place: number, before: Decision | null, after: Decision | null): void {
    const item = this.#snapshot.items[place];
    if (item === undefined) return;
    if (after !== null && after !== 'SKIP') this.#outbox.add(verdictOf(item, after));
    else if (before !== null && before !== 'SKIP') this.#outbox.undo(verdictOf(item, before));
  }

  #isBoardDone(): boolean {
    const { board, items, decisions } = this.#snapshot;
    const end = Math.min(board + BOARD_SIZE, items.length);
    for (let place = board; place < end; place++) if (!decisions.has(place)) return false;
    return true;
  }

  #decided(decisions: ReadonlyMap<number, Decision>): void {
    const reviewed = [...decisions.values()].filter((it) => it !== 'SKIP').length;
    this.#update({ decisions, reviewed, remaining: Math.max(0, this.#total - reviewed) });
  }

  #loadAhead(): void {
    const { items, board, isWhole, loadError } = this.#snapshot;
    const isNear = items.length - board < FETCH_AHEAD + BOARD_SIZE;
    if (isNear && !isWhole && loadError === null) void this.#load();
  }

  async #load(): Promise<void> {
    if (this.#isLoading || this.#snapshot.isWhole) return;
    this.#isLoading = true;
    const isFirst = this.#snapshot.state !== 'ready';
    this.#update({ loadError: null, state: isFirst ? 'loading' : 'ready' });
    try {
      const page = await this.#backend.load(this.#next, this.#abort.signal);
      if (this.#abort.signal.aborted) return;
      this.#next = page.next;
      if (isFirst) this.#total = page.totalCount;
      const items = [...this.#snapshot.items, ...page.items];
      const isWhole = page.next === null;
      const last = Math.max(0, boardOf(items.length - 1));
      const board = isWhole ? Math.min(this.#snapshot.board, last) : this.#snapshot.board;
      this.#update({ state: 'ready', items, isWhole, board });
      this.#decided(this.#snapshot.decisions);
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      this.#update({ loadError: toClientError(error), state: isFirst ? 'failed' : 'ready' });
    } finally {
      this.#isLoading = false;
    }
    this.#loadAhead();
  }

  #update(change: Partial<ReviewSnapshot>): void {
    this.#snapshot = { ...this.#snapshot, ...change };
    for (const listener of this.#listeners) listener();
  }
}

export function boardOf(place: number): number {
  return place - (place % BOARD_SIZE);
}

function verdictOf(item: ReviewItem, verdict: Verdict): TagVerdictInput {
  const { image, vocabulary, label, isSampled } = item;
  return { imageId: image.id, vocabulary, label, verdict, isSampled };
}
