import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from '../../platform/logger.ts';
import type { Database } from '../../store/database.ts';
import { COMPLETE } from '../../store/generation-switch.ts';
import { listKeptGenerations, type GenerationRecord } from '../../store/generations.ts';
import { listTextModels } from '../../store/model-registry.ts';
import type { CollectionIndexes } from './collection-indexes.ts';
import type { TextModels } from './text-models.ts';

export interface StandbyOptions {
  readonly database: Pick<Database, 'prisma'>;
  readonly indexes: Pick<CollectionIndexes, 'get'>;
  readonly textModels: Pick<TextModels, 'get'>;
  readonly logger: Logger;
  /** Between two looks. Default 2 s. */
  readonly everyMs?: number;
}

const EVERY_MS = 2000;

/**
 * Has loaded whatever a switch may lead to, whichever process or command makes it: the text models of all kept generations, from the
 * moment they are begun, and the indexes of those that may be promoted. So no search waits for a model when a switch comes.
 */
export class Standby {
  readonly #options: StandbyOptions;
  readonly #stop = new AbortController();
  /** What couldn't be loaded, told once. */
  readonly #told = new Set<string>();
  #running: Promise<void> = Promise.resolve();

  constructor(options: StandbyOptions) {
    this.#options = options;
  }

  /** Looks again and again until `close`. Resolves after the first look; never rejects. */
  async start(): Promise<void> {
    await this.look();
    this.#running = this.#repeat();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async look(): Promise<void> {
    try {
      const { prisma } = this.#options.database;
      const kept = await listKeptGenerations(prisma, null);
      await this.#loadTextModels(kept);
      const waiting = kept.filter(({ state }) => state !== 'LIVE' && COMPLETE.has(state));
      for (const generation of waiting) {
        await this.#try(generation.id, 'An index did not open.', async () => {
          await this.#options.indexes.get(generation);
        });
      }
    } catch (error) {
      this.#options.logger.warn(
        { err: error },
        'What a switch may lead to could not be looked up.',
      );
    }
  }

  async #loadTextModels(kept: readonly GenerationRecord[]): Promise<void> {
    const wanted = new Set(kept.map(({ textModelId }) => textModelId));
    const models = await listTextModels(this.#options.database.prisma);
    for (const model of models.filter(({ id }) => wanted.has(id))) {
      await this.#try(model.fingerprint, 'A text model did not load.', async () => {
        // The first run of a graph takes longer; after that the text is in the cache.
        await (await this.#options.textModels.get(model)).encode('a photo');
      });
    }
  }

  /** One that is missing keeps no other from being ready; searches that need it tell of it. */
  async #try(name: string, story: string, load: () => Promise<void>): Promise<void> {
    if (this.#stop.signal.aborted) return;
    try {
      await load();
      this.#told.delete(name);
    } catch (error) {
      if (!this.#told.has(name)) this.#options.logger.warn({ err: error }, story);
      this.#told.add(name);
    }
  }

  async #repeat(): Promise<void> {
    const { everyMs = EVERY_MS } = this.#options;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await this.look();
      await pause(everyMs, null, { signal, ref: false }).catch(() => undefined);
    }
  }
}
