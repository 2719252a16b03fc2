import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { PlatformError } from '../../platform/errors.ts';
import type { Logger } from '../../platform/logger.ts';
import type { EngineSetting } from '../../indexer/vector-index/engines.ts';
import { isSnapshotFile, snapshotFiles } from '../../indexer/vector-index/snapshot-files.ts';
import type { ChangeListener } from '../../store/change-listener.ts';
import { listKeptGenerations, type GenerationRecord } from '../../store/generations.ts';
import { indexKeyName as nameOf, type IndexKey } from '../../store/changes.ts';
import type { Database } from '../../store/database.ts';
import { listVisionSpaces, type VisionSpaceRecord } from '../../store/model-registry.ts';
import { CollectionIndex } from './collection-index.ts';

export interface CollectionIndexesOptions {
  readonly database: Database;
  readonly listener: ChangeListener;
  readonly engine: EngineSetting;
  /** Vectors up to which `auto` compares with all. Default 50,000. */
  readonly exactLimit?: number;
  /** Where snapshots lie. */
  readonly folder: string;
  readonly logger: Logger;
}

const MAINTAIN_EVERY_MS = 10_000;
const RETRY_MS = 500;

/**
 * The indexes of this process, one a (collection, vision space), opened at their first use, by `openLive`, or by `Standby` before somebody
 * promotes a generation or rolls back. Every ten seconds snapshots are written where enough changed, `auto` moves to another engine where
 * a collection has outgrown its own, and indexes of generations that are gone are closed.
 */
export class CollectionIndexes {
  readonly #options: CollectionIndexesOptions;
  readonly #open = new Map<string, Promise<CollectionIndex>>();
  /** Those of them that are open by now. */
  readonly #opened = new Map<string, CollectionIndex>();
  readonly #timer: NodeJS.Timeout;
  #maintaining: Promise<void> = Promise.resolve();
  #isClosed = false;
  #tellClosing: () => void = () => undefined;
  readonly #closing = new Promise<void>((resolve) => (this.#tellClosing = resolve));

  constructor(options: CollectionIndexesOptions) {
    this.#options = options;
    this.#timer = setInterval(() => {
      void this.maintain();
    }, MAINTAIN_EVERY_MS);
    this.#timer.unref();
  }

  /** Opens the index of every collection's live generation and waits until each has caught up; for the database too. */
  async openLive(): Promise<void> {
    const generations = await this.#waitForGenerations();
    const live = generations.filter(({ state }) => state === 'LIVE');
    const opening = live.map(async (generation) => (await this.get(generation)).ready);
    // One collection's trouble keeps no other from being searched; its own searches tell of it.
    for (const result of await Promise.allSettled(opening)) {
      if (result.status === 'rejected' && !this.#isClosed) {
        this.#options.logger.warn({ err: result.reason as unknown }, 'An index did not open.');
      }
    }
  }

  get({ collectionId, visionSpaceId }: IndexKey): Promise<CollectionIndex> {
    const key = { collectionId, visionSpaceId }; // a generation is one, and more
    if (this.#isClosed) {
      throw new PlatformError('INDEX_UNAVAILABLE', 'The server is closing.');
    }
    const name = nameOf(key);
    const found = this.#open.get(name);
    if (found) return found;
    const opening = this.#openIndex(key);
    this.#keep(name, opening);
    return opening;
  }

  /** Those that are open now; ones still opening are left out. */
  opened(): readonly CollectionIndex[] {
    return [...this.#opened.values()];
  }

  /** Forgets an index whose thread died, so that the next use opens it anew. */
  async discard(index: CollectionIndex): Promise<void> {
    const name = nameOf(index.key);
    if (this.#opened.get(name) === index) {
      this.#opened.delete(name);
      this.#open.delete(name);
    }
    await index.stop();
  }

  /** Looks after the open indexes once; the timer calls it. Never rejects. */
  maintain(): Promise<void> {
    this.#maintaining = this.#maintaining.then(() => this.#maintain());
    return this.#maintaining;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#tellClosing();
    clearInterval(this.#timer);
    await this.#maintaining;
    const now = new Date();
    await Promise.allSettled(this.#open.values());
    await Promise.all(this.opened().map((index) => index.close(now)));
    this.#open.clear();
    this.#opened.clear();
  }

  /** None when it was closed meanwhile. */
  async #waitForGenerations(): Promise<readonly GenerationRecord[]> {
    const { database, logger } = this.#options;
    while (!this.#isClosed) {
      try {
        return await listKeptGenerations(database.prisma, null);
      } catch (error) {
        logger.warn({ err: error }, 'The generations can not be read; trying again.');
        await Promise.race([pause(RETRY_MS), this.#closing]);
      }
    }
    return [];
  }

  #keep(name: string, opening: Promise<CollectionIndex>): void {
    this.#open.set(name, opening);
    opening.then(
      (index) => {
        if (this.#open.get(name) === opening) this.#opened.set(name, index);
      },
      () => {
        if (this.#open.get(name) === opening) this.#open.delete(name); // tried again at the next use
      },
    );
  }

  async #openIndex(key: IndexKey): Promise<CollectionIndex> {
    const { database, listener, engine, exactLimit, folder, logger } = this.#options;
    const space = await this.#visionSpace(key);
    const { fingerprint, dimensions } = space;
    const opened: CollectionIndex = await CollectionIndex.open({
      ...{ key, fingerprint, dimensions, engine, exactLimit, folder, listener, logger },
      onLost: () => {
        void this.discard(opened);
      },
      db: database.pool,
    });
    return opened;
  }

  async #visionSpace({ visionSpaceId }: IndexKey): Promise<VisionSpaceRecord> {
    const spaces = await listVisionSpaces(this.#options.database.prisma);
    const space = spaces.find(({ id }) => id === visionSpaceId);
    if (space) return space;
    throw new PlatformError('NOT_FOUND', `There is no vision space ${visionSpaceId}.`);
  }

  async #maintain(): Promise<void> {
    try {
      const opened = this.opened(); // before the generations are read: a new one's index must not look like a gone one's
      const kept = await listKeptGenerations(this.#options.database.prisma, null);
      await this.#closeGone(opened, kept);
      await removeStraySnapshots(this.#options.folder, kept);
      for (const index of this.opened()) {
        if (!(await index.isComplete())) await this.#rebuild(index);
        else if (index.hasOutgrownEngine) await this.#replace(index);
        else await index.saveIfWorthwhile(new Date());
      }
    } catch (error) {
      this.#options.logger.warn({ err: error }, 'Looking after the indexes failed.');
    }
  }

  /** Of discarded generations, and of collections that were deleted. */
  async #closeGone(
    opened: readonly CollectionIndex[],
    kept: readonly GenerationRecord[],
  ): Promise<void> {
    const names = new Set(kept.map(nameOf));
    for (const index of opened.filter(({ key }) => !names.has(nameOf(key)))) {
      await this.discard(index);
      await this.#removeSnapshots(index.key);
    }
  }

  async #removeSnapshots(key: IndexKey): Promise<void> {
    for (const file of snapshotFiles(this.#options.folder, key)) await rm(file, { force: true });
  }

  /** Its snapshot came from another past of the database than this one. */
  async #rebuild(index: CollectionIndex): Promise<void> {
    const { logger } = this.#options;
    logger.warn(
      { collection: index.key.collectionId },
      'An index differs from the store; building it again.',
    );
    await this.discard(index);
    await this.#removeSnapshots(index.key);
    await this.get(index.key);
  }

  /** The old one answers until the new one has everything. */
  async #replace(old: CollectionIndex): Promise<void> {
    const { logger } = this.#options;
    const name = nameOf(old.key);
    const next = await this.#openIndex(old.key);
    await Promise.race([next.ready, this.#closing]);
    if (this.#isClosed || this.#opened.get(name) !== old) return next.stop(); // discarded meanwhile
    this.#open.set(name, Promise.resolve(next));
    this.#opened.set(name, next);
    await old.stop(); // searches that were in it are repeated in the new one
    const { engine, size } = next.state;
    logger.info(
      { collection: old.key.collectionId, engine, size },
      'The index changed its engine.',
    );
  }
}

/** One that was written so lately may be of a generation that is newer than the list. */
const STRAY_AFTER_MS = 600_000;

/** Snapshots of generations that are gone, and weren't open here when they went. */
async function removeStraySnapshots(folder: string, kept: readonly IndexKey[]): Promise<void> {
  const wanted = new Set(kept.flatMap((key) => snapshotFiles(folder, key)));
  const names = await readdir(folder).catch(() => []); // there is none before the first
  for (const file of names.map((name) => join(folder, name))) {
    if (wanted.has(file) || !isSnapshotFile(file)) continue;
    const written = await stat(file).catch(() => null);
    const isOld = written !== null && Date.now() - written.mtimeMs > STRAY_AFTER_MS;
    if (isOld) await rm(file, { force: true });
  }
}
