import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from '../../platform/logger.ts';
import type { Database } from '../../store/database.ts';
import { SchedulerLock } from '../../store/scheduler-lock.ts';
import { listScheduledSources, type SourceRecord } from '../../store/sources.ts';
import { FolderWatcher, type WatchFolder } from './folder-watcher.ts';
import { FollowedSource } from './followed-source.ts';

export interface SchedulerOptions {
  readonly database: Database;
  readonly logger: Logger;
  /** Default: the system's clock. */
  readonly now?: () => Date;
  /** Between two looks at the sources. Default 1,000 ms: what a change of their settings waits at most. */
  readonly pollMs?: number;
  /** Default: `FolderWatcher`. */
  readonly watchFolder?: WatchFolder;
}

const DEFAULTS = {
  now: () => new Date(),
  pollMs: 1000,
  watchFolder: FolderWatcher.open.bind(FolderWatcher),
};

/**
 * Keeps up with the sources that ask for it: starts an ingest of each whose rescan is due or whose folder has changed. Every
 * worker has one; one of a database acts, and another takes over when it is gone. It only starts jobs; workers do them.
 */
export class Scheduler {
  readonly #options: Required<SchedulerOptions>;
  readonly #lock: SchedulerLock;
  readonly #followed = new Map<string, FollowedSource>();
  readonly #closing = new Set<Promise<void>>();

  constructor(options: SchedulerOptions) {
    this.#options = { ...DEFAULTS, ...options };
    const { database, logger } = options;
    this.#lock = new SchedulerLock({ createClient: () => database.createClient(), logger });
  }

  /** Until the signal fires; then leaves the sources to another. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted) {
        await this.#look();
        await pause(this.#options.pollMs, undefined, { signal }).catch(() => undefined);
      }
    } finally {
      this.#follow([]);
      await Promise.all(this.#closing);
      await this.#lock.close();
    }
  }

  async #look(): Promise<void> {
    const { database, logger } = this.#options;
    try {
      const isLeader = await this.#lock.hold();
      this.#follow(isLeader ? await listScheduledSources(database.prisma) : []);
    } catch (error) {
      logger.error({ err: error }, 'The scheduler stumbled; it goes on.'); // the database, mostly: it passes
    }
  }

  #follow(sources: readonly SourceRecord[]): void {
    const wanted = new Set<string>(sources.map(({ id }) => id));
    for (const [id, followed] of this.#followed) if (!wanted.has(id)) this.#dismiss(id, followed);
    for (const source of sources) {
      const followed = this.#followed.get(source.id) ?? new FollowedSource(source, this.#options);
      this.#followed.set(source.id, followed);
      followed.follow(source);
    }
  }

  /** Without waiting for it: its disk may hang. */
  #dismiss(id: string, followed: FollowedSource): void {
    this.#followed.delete(id);
    const closing = followed.close().finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }
}
