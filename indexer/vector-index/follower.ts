import { setTimeout } from 'node:timers/promises';
import { PlatformError } from '../../platform/errors.ts';
import { joinRows } from '../../models/rows.ts';
import type { VectorIndex } from './vector-index.ts';

export type Change =
  | {
      readonly seq: bigint;
      readonly kind: 'add';
      readonly id: bigint;
      readonly vector: Float32Array;
    }
  | { readonly seq: bigint; readonly kind: 'remove'; readonly id: bigint };

/** What a follower needs of the store. */
export interface ChangeSource {
  /**
   * Up to `limit` changes with a higher `seq`, in its order; none when there are none yet. A change must never become visible
   * after one with a higher `seq` was seen, or it would be missed.
   */
  changesAfter(seq: bigint, limit: number): Promise<readonly Change[]>;
}

export interface FollowerOptions {
  readonly source: ChangeSource;
  readonly index: Pick<VectorIndex, 'add' | 'remove' | 'dimensions'>;
  /** The last change the index holds: a snapshot's `lastSeq`, or 0. */
  readonly startSeq: bigint;
  /** Changes a round. Higher: fewer queries, more memory. Useful: 100 to 10,000. Default 1,000. */
  readonly batchSize?: number;
  /** A look without a wake, should one have been missed. Default 2,000. Price: one cheap query each. */
  readonly pollMs?: number;
  /** A round failed and is tried again at the next look. */
  readonly onFailure?: (error: unknown) => void;
  /** A change the index refuses (another width, not finite); it is left out and the follower goes on. */
  readonly onRefused?: (change: Change, error: PlatformError) => void;
  /** Milliseconds, of any origin. */
  readonly now?: () => number;
  /** Resolves after `ms`, or when the signal fires. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<unknown>;
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (reason: PlatformError) => void;
}

/**
 * Keeps an index as the store is: applies changes in order of `seq`, in batches, each at least once. Applying one twice changes
 * nothing, so a restart from an older snapshot only repeats work.
 *
 * States: behind (rounds follow each other) → caught up (a round found nothing; waits for `wake` or the next poll) → behind.
 */
export class Follower {
  readonly #options: Required<FollowerOptions>;
  #seq: bigint;
  #isCaughtUp = false;
  /** When the index was last known to hold everything. */
  #currentAt: number;
  #woken = false;
  #endWait: (() => void) | null = null;
  readonly #waiting: Waiter[] = [];

  constructor(options: FollowerOptions) {
    this.#options = {
      batchSize: 1000,
      pollMs: 2000,
      onFailure: () => undefined,
      onRefused: () => undefined,
      now: () => performance.now(),
      wait: (ms, signal) => setTimeout(ms, undefined, { signal }).catch(() => undefined),
      ...options,
    };
    this.#seq = options.startSeq;
    this.#currentAt = this.#options.now();
  }

  /** The last change the index holds. Read it before `index.save`, and the snapshot holds at least that. */
  get seq(): bigint {
    return this.#seq;
  }

  get isCaughtUp(): boolean {
    return this.#isCaughtUp;
  }

  /** Milliseconds since the index was last known to hold everything; 0 while caught up. */
  get lagMs(): number {
    return this.#isCaughtUp ? 0 : this.#options.now() - this.#currentAt;
  }

  /** Look now: a notification came. */
  wake(): void {
    this.#woken = true;
    this.#endWait?.();
  }

  /** Resolves when a look that began after this call has found nothing more; rejects with `ABORTED` when `run` ends before. */
  async caughtUp(): Promise<void> {
    const done = new Promise<void>((resolve, reject) => this.#waiting.push({ resolve, reject }));
    this.wake();
    await done;
  }

  /** Follows until the signal fires. Never rejects because of the source: a failed round is reported and repeated. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#woken = false;
      const waiting = this.#waiting.length;
      if (await this.#tryRound()) continue;
      if (this.#isCaughtUp) for (const { resolve } of this.#waiting.splice(0, waiting)) resolve();
      await this.#pause(signal);
    }
    const stopped = new PlatformError('ABORTED', 'The follower was stopped.');
    for (const { reject } of this.#waiting.splice(0)) reject(stopped);
  }

  /** Whether more may be there at once. */
  async #tryRound(): Promise<boolean> {
    const { source, batchSize, onFailure, now } = this.#options;
    const lookedAt = now();
    try {
      const changes = await source.changesAfter(this.#seq, batchSize);
      this.#isCaughtUp = changes.length === 0;
      if (this.#isCaughtUp) this.#currentAt = lookedAt;
      else await this.#apply(changes);
      return !this.#isCaughtUp;
    } catch (error) {
      this.#isCaughtUp = false;
      onFailure(error);
      return false;
    }
  }

  async #apply(changes: readonly Change[]): Promise<void> {
    try {
      await this.#applyTogether(changes);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      for (const change of changes) await this.#applyAlone(change);
    }
    this.#seq = changes.at(-1)?.seq ?? this.#seq;
  }

  /** Of several changes of an id only the last matters. */
  async #applyTogether(changes: readonly Change[]): Promise<void> {
    const { index } = this.#options;
    const last = [...new Map(changes.map((change) => [change.id, change])).values()];
    const added = last.filter((change) => change.kind === 'add');
    const removed = last.filter((change) => change.kind === 'remove');
    if (removed.length > 0) await index.remove(BigUint64Array.from(removed, ({ id }) => id));
    if (added.length === 0) return;
    const misfit = added.find(({ vector }) => vector.length !== index.dimensions);
    if (misfit) throw wrongWidth(misfit.vector.length, index.dimensions);
    const vectors = joinRows(
      added.map(({ vector }) => vector),
      index.dimensions,
    );
    await index.add(
      BigUint64Array.from(added, ({ id }) => id),
      vectors,
    );
  }

  async #applyAlone(change: Change): Promise<void> {
    try {
      await this.#applyTogether([change]);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      // What the index has of this id is no longer true.
      await this.#options.index.remove(BigUint64Array.of(change.id));
      this.#options.onRefused(change, error);
    }
  }

  async #pause(signal: AbortSignal): Promise<void> {
    if (this.#woken || signal.aborted) return;
    const { wait, pollMs } = this.#options;
    const controller = new AbortController();
    const woken = new Promise<void>((resolve) => (this.#endWait = resolve));
    const stopped = AbortSignal.any([signal, controller.signal]);
    await Promise.race([woken, wait(pollMs, stopped)]);
    this.#endWait = null;
    controller.abort();
  }
}

function isRefusal(error: unknown): error is PlatformError {
  return error instanceof PlatformError && !error.retryable && error.code !== 'ABORTED';
}

function wrongWidth(found: number, dimensions: number): PlatformError {
  const story = `A stored vector is ${found} wide, the index ${dimensions}`;
  return new PlatformError('DIMENSION_MISMATCH', `${story}.`);
}
