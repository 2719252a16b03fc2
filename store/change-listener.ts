import type { Client } from 'pg';
import type { Logger } from '../platform/logger.ts';
import { CHANGE_CHANNEL, readChanges, type IndexChanges, type IndexKey } from './changes.ts';
import type { CollectionId } from './ids.ts';
import type { Queryable } from './transaction.ts';

export interface ChangeListenerOptions {
  /** Makes a connection that isn't open yet: `Database.createClient`. Called again after one was lost. */
  readonly createClient: () => Client;
  /** Longest time between two looks when no notification comes. Default 2 s. */
  readonly pollMs?: number;
  readonly logger?: Logger;
}

interface Waiter {
  readonly collectionId: CollectionId;
  readonly wake: () => void;
}

/**
 * Wakes followers: at once by NOTIFY, and every `pollMs` in case a notification was lost with its connection, which
 * is opened again at the next look. One listener serves all followers of a process.
 */
export class ChangeListener {
  readonly #options: ChangeListenerOptions;
  readonly #waiters = new Set<Waiter>();
  readonly #notified = new Map<string, number>();
  #client: Client | null = null;
  #isClosed = false;

  constructor(options: ChangeListenerOptions) {
    this.#options = options;
  }

  /** How many notifications came for the collection. Ask before reading, and give it to `wait` when nothing was there. */
  notified(collectionId: CollectionId): number {
    return this.#notified.get(collectionId) ?? 0;
  }

  /** Resolves when the collection may have changed since `seen`, or the poll time is over, or the signal fires. */
  async wait(collectionId: CollectionId, seen: number, signal: AbortSignal): Promise<void> {
    if (await this.#listen()) return; // what came before wasn't told
    if (this.#isClosed || signal.aborted || this.notified(collectionId) !== seen) return;
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      const waiter: Waiter = { collectionId, wake };
      const timer = setTimeout(wake, this.#options.pollMs ?? 2000);
      this.#waiters.add(waiter);
      signal.addEventListener('abort', wake);
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const client = this.#client;
    this.#client = null;
    for (const { wake } of [...this.#waiters]) wake();
    await client?.end();
  }

  /** Opens the connection if there is none; whether it did. Without one, polling goes on. */
  async #listen(): Promise<boolean> {
    if (this.#client !== null || this.#isClosed) return false;
    const client = this.#options.createClient();
    this.#client = client;
    const lose = (reason: string): void => {
      if (this.#client !== client) return;
      this.#client = null;
      this.#options.logger?.warn({ reason }, 'Listening for changes was interrupted; polling.');
    };
    client.on('notification', ({ payload }) => {
      this.#notify(payload ?? '');
    });
    client.on('error', (error) => {
      lose(error.message);
    });
    client.on('end', () => {
      lose('The connection ended.');
    });
    try {
      await client.connect();
      await client.query(`LISTEN ${CHANGE_CHANNEL}`);
      for (const { wake } of [...this.#waiters]) wake();
      return true;
    } catch (error) {
      lose(String(error));
      await client.end().catch(() => undefined);
      return false;
    }
  }

  #notify(collectionId: string): void {
    this.#notified.set(collectionId, (this.#notified.get(collectionId) ?? 0) + 1);
    for (const waiter of [...this.#waiters]) {
      if (waiter.collectionId === collectionId) waiter.wake();
    }
  }
}

export interface FollowOptions {
  readonly key: IndexKey;
  /** The last sequence number the index has; 0: none. */
  readonly after: bigint;
  /** Rows of one batch. Default 2,000; 10 MB at 1,280 dimensions. */
  readonly batchSize?: number;
  readonly listener: ChangeListener;
  /** Ends the iteration. */
  readonly signal: AbortSignal;
}

/** Every change of an index, in order, as it becomes visible; first what was missed, then what comes. */
export async function* followChanges(
  db: Queryable,
  { key, after, batchSize = 2000, listener, signal }: FollowOptions,
): AsyncGenerator<IndexChanges, void> {
  let last = after;
  while (!signal.aborted) {
    const seen = listener.notified(key.collectionId);
    const changes = await readChanges(db, key, { after: last, limit: batchSize });
    if (changes === null) {
      await listener.wait(key.collectionId, seen, signal);
      continue;
    }
    last = changes.lastSeq;
    yield changes;
  }
}
