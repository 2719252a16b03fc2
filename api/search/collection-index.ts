import { PlatformError, throwIfAborted } from '../../platform/errors.ts';
import { chooseEngine, type EngineName } from '../../indexer/vector-index/engines.ts';
import { Follower, type Change } from '../../indexer/vector-index/follower.ts';
import { snapshotFile } from '../../indexer/vector-index/snapshot-files.ts';
import {
  openStoredIndex,
  readStoredChanges,
  type StoredIndexOptions,
} from '../../indexer/vector-index/stored-index.ts';
import type { ThreadIndex } from '../../indexer/vector-index/thread-index.ts';
import type { Neighbors } from '../../indexer/vector-index/vector-index.ts';
import type { ChangeListener } from '../../store/change-listener.ts';
import { readIndexed, type IndexKey } from '../../store/changes.ts';
import { RecallSampler } from './recall-sampler.ts';

export interface CollectionIndexOptions extends StoredIndexOptions {
  readonly listener: ChangeListener;
  /** The index's thread died: it has to be opened again. */
  readonly onLost?: () => void;
}

export interface IndexSearch {
  readonly k: number;
  readonly allow?: BigUint64Array;
  readonly exact?: boolean;
  readonly signal?: AbortSignal;
}

export interface CollectionIndexState {
  readonly engine: EngineName;
  readonly size: number;
  readonly bytes: number;
  /** The last change it holds. */
  readonly seq: bigint;
  readonly isCaughtUp: boolean;
  /** Milliseconds since it was last known to hold everything. */
  readonly lagMs: number;
  readonly recallAt10: number | null;
  readonly recallSamples: number;
  /** Null: no graph. */
  readonly ef: number | null;
  readonly snapshotAt: Date | null;
}

/** A snapshot is written when at least this share of its vectors changed. */
const WORTH_SAVING = 0.05;
const SAVE_EVERY_MS = 300_000;

/**
 * The index of one collection in one vision space, kept as the store is: restored from its snapshot, then following the store's
 * changes until it is closed. `ready` resolves once it holds everything that was there when it was opened.
 */
export class CollectionIndex {
  readonly ready: Promise<void>;
  readonly #options: CollectionIndexOptions;
  readonly #index: ThreadIndex;
  readonly #follower: Follower;
  readonly #recall: RecallSampler;
  readonly #stop = new AbortController();
  readonly #following: Promise<void>;
  #savedSeq: bigint;
  #savedAt: Date | null;
  #changesSinceSave = 0;
  #isReady = false;

  private constructor(
    options: CollectionIndexOptions,
    index: ThreadIndex,
    restored: { readonly seq: bigint; readonly at: Date | null },
  ) {
    this.#options = options;
    this.#index = index;
    this.#savedSeq = restored.seq;
    this.#savedAt = restored.at;
    this.#recall = new RecallSampler({ index, onFailure: this.#warn('A recall sample failed.') });
    let seen = 0;
    this.#follower = new Follower({
      index,
      startSeq: restored.seq,
      source: {
        changesAfter: async (seq, limit) => {
          seen = options.listener.notified(options.key.collectionId);
          return this.#changesAfter(seq, limit);
        },
      },
      wait: (_ms, signal) => options.listener.wait(options.key.collectionId, seen, signal),
      onFailure: (error) => {
        this.#warn('The index could not take in changes; it tries again.')(error);
        if (isUnavailable(error)) options.onLost?.();
      },
      onRefused: ({ id }, error) => {
        options.logger.error(
          { imageId: id.toString(), err: error },
          'A stored vector is unusable.',
        );
      },
    });
    this.#following = this.#follower.run(this.#stop.signal);
    this.ready = this.#follower.caughtUp();
    this.ready.then(
      () => (this.#isReady = true),
      () => undefined, // closed before; whoever awaits it is told
    );
  }

  static async open(options: CollectionIndexOptions): Promise<CollectionIndex> {
    const { index, restored } = await openStoredIndex(options);
    const isRestored = restored.outcome === 'RESTORED';
    return new CollectionIndex(options, index, {
      seq: isRestored ? restored.lastSeq : 0n,
      at: isRestored ? new Date() : null,
    });
  }

  /**
   * Whether it holds as many images as the store says. It doesn't after the store was set back to an earlier time by
   * other means than an earlier sequence number tells. While the store is ahead there is nothing to compare.
   */
  async isComplete(): Promise<boolean> {
    const { seq } = this.#follower;
    const { count, lastSeq } = await readIndexed(this.#options.db, this.#options.key);
    const isStill = this.#follower.isCaughtUp && this.#follower.seq === seq && lastSeq <= seq;
    return !isStill || count === this.#index.size;
  }

  get key(): IndexKey {
    return this.#options.key;
  }

  get state(): CollectionIndexState {
    const { engine, size, dimensions } = this.#index;
    const hasGraph = engine !== 'exact';
    return {
      ...{ engine, size, bytes: size * (dimensions * 4 + 8) },
      seq: this.#follower.seq,
      isCaughtUp: this.#follower.isCaughtUp,
      lagMs: this.#follower.lagMs,
      recallAt10: this.#recall.recallAt10,
      recallSamples: this.#recall.samples,
      ef: hasGraph ? this.#recall.ef : null,
      snapshotAt: this.#savedAt,
    };
  }

  /** Whether `auto` would take another engine by now. */
  get hasOutgrownEngine(): boolean {
    const { engine, exactLimit } = this.#options;
    const { size, engine: present } = this.#index;
    return present === 'exact' && chooseEngine(engine, size, exactLimit) !== present;
  }

  /** The nearest, best first. Waits until everything is in that was there when the index was opened. */
  async search(query: Float32Array, { k, allow, exact, signal }: IndexSearch): Promise<Neighbors> {
    await this.#untilReady(signal);
    const options = {
      ...(allow ? { allow } : {}),
      ...(exact === undefined ? {} : { exact }),
      ...(signal ? { signal } : {}),
    };
    const ef = Math.max(this.#recall.ef, k);
    const found = await this.#index.search(query, k, { ...options, ef });
    this.#recall.observe({ query, allow, found });
    return found;
  }

  async #untilReady(signal: AbortSignal | undefined): Promise<void> {
    if (this.#isReady) return;
    try {
      await (signal ? Promise.race([this.ready, rejectWhen(signal)]) : this.ready);
    } catch (error) {
      throwIfAborted(signal);
      const message = 'The index was closed before it was ready: ask again.';
      throw new PlatformError('INDEX_UNAVAILABLE', message, { cause: error });
    }
  }

  /** Resolves when it holds every change that was committed before this call. */
  caughtUp(): Promise<void> {
    return this.#follower.caughtUp();
  }

  /** Writes a snapshot when enough changed. Never throws: a snapshot only saves time. */
  async saveIfWorthwhile(now: Date): Promise<void> {
    const age = this.#savedAt === null ? Infinity : now.getTime() - this.#savedAt.getTime();
    const share = this.#changesSinceSave / Math.max(1, this.#index.size);
    if (this.#follower.isCaughtUp && (age > SAVE_EVERY_MS || share > WORTH_SAVING)) {
      await this.#save(now);
    }
  }

  async close(now: Date): Promise<void> {
    await this.#save(now);
    await this.stop();
  }

  /** Ends without a snapshot. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#following;
    await this.#index.close();
  }

  async #save(now: Date): Promise<void> {
    const { seq } = this.#follower;
    if (seq === this.#savedSeq) return;
    try {
      const { folder, key } = this.#options;
      await this.#index.save(snapshotFile(folder, key, this.#index.engine), seq);
      this.#savedSeq = seq;
      this.#savedAt = now;
      this.#changesSinceSave = 0;
    } catch (error) {
      if (isUnavailable(error)) return;
      this.#warn('A snapshot could not be written.')(error);
    }
  }

  async #changesAfter(seq: bigint, limit: number): Promise<readonly Change[]> {
    const changes = await readStoredChanges(this.#options, seq, limit);
    this.#changesSinceSave += changes.length;
    return changes;
  }

  #warn(message: string): (error: unknown) => void {
    return (error) => {
      this.#options.logger.warn(
        { err: error, collection: this.#options.key.collectionId },
        message,
      );
    };
  }
}

function isUnavailable(error: unknown): boolean {
  return error instanceof PlatformError && error.code === 'INDEX_UNAVAILABLE';
}

function rejectWhen(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const fail = (): void => {
      reject(new PlatformError('ABORTED', 'Stopped on request.'));
    };
    if (signal.aborted) fail();
    signal.addEventListener('abort', fail, { once: true });
  });
}
