import { PlatformError, throwIfAborted } from '../../platform/errors.ts';
import { WorkerPool, type RunOptions } from '../../platform/worker-pool.ts';
import { checkQuery, checkRows, checkSearch } from './check-input.ts';
import type { EngineName } from './engines.ts';
import type { IndexRequest, IndexResponse, IndexSettings } from './index-protocol.ts';
import type { Restored } from './snapshot.ts';
import type { Neighbors, SearchOptions, VectorIndex } from './vector-index.ts';

/** How long a waiting search is held up by a write: chunks of vectors are cut to take about this. */
const CHUNK_MS = 2;
const FIRST_CHUNK = 16;
const MOST_CHUNK = 4096;
/** Ids removed before a waiting search gets its turn. */
const REMOVE_CHUNK = 1024;

const SCRIPT = new URL('./index-worker.ts', import.meta.url);

/**
 * An index in a worker thread of its own: native engines block, and the event loop must not. One writer: writes queue here and
 * go to the thread in small chunks, one at a time, so that a search waits for a chunk and not for a build.
 *
 * If the thread dies the index is lost; every later call fails with `INDEX_UNAVAILABLE`, and a new one has to be opened.
 */
export class ThreadIndex implements VectorIndex {
  readonly engine: EngineName;
  readonly dimensions: number;
  readonly #pool: WorkerPool<IndexRequest, IndexResponse>;
  #size = 0;
  #chunk = FIRST_CHUNK;
  #lastWrite: Promise<void> = Promise.resolve();

  private constructor(
    { engine, dimensions }: IndexSettings,
    pool: WorkerPool<IndexRequest, IndexResponse>,
  ) {
    this.engine = engine;
    this.dimensions = dimensions;
    this.#pool = pool;
  }

  /** An index from `snapshot` where that is a usable file, an empty one otherwise; `restored` says which. */
  static async open(
    settings: IndexSettings,
    snapshot: string | null = null,
  ): Promise<{ readonly index: ThreadIndex; readonly restored: Restored }> {
    const pool = await WorkerPool.start<IndexRequest, IndexResponse>({
      script: SCRIPT,
      size: 1,
      data: null,
    });
    try {
      const index = new ThreadIndex(settings, pool);
      const reply = await index.#run({ kind: 'open', settings, snapshot });
      if (reply.kind !== 'opened') throw new Error('An index answered another question.');
      index.#size = reply.size;
      return { index, restored: reply.restored };
    } catch (error) {
      await pool.close();
      throw error;
    }
  }

  get size(): number {
    return this.#size;
  }

  async add(ids: BigUint64Array, vectors: Float32Array): Promise<void> {
    await this.#write(async () => {
      await checkRows(ids, vectors, this.dimensions);
      for (let start = 0; start < ids.length;) {
        const end = Math.min(start + this.#chunk, ids.length);
        const rows = vectors.slice(start * this.dimensions, end * this.dimensions);
        const request = { kind: 'add', ids: ids.slice(start, end), vectors: rows } as const;
        const tookMs = await this.#change(request, { transfer: [rows.buffer] });
        if (end - start === this.#chunk) this.#chunk = nextChunk(this.#chunk, tookMs);
        start = end;
      }
    });
  }

  async remove(ids: BigUint64Array): Promise<void> {
    await this.#write(async () => {
      for (let start = 0; start < ids.length; start += REMOVE_CHUNK) {
        await this.#change({ kind: 'remove', ids: ids.slice(start, start + REMOVE_CHUNK) });
      }
    });
  }

  async search(query: Float32Array, k: number, options: SearchOptions = {}): Promise<Neighbors> {
    const { signal, ...rest } = options;
    throwIfAborted(signal);
    checkQuery(query, this.dimensions);
    checkSearch(k, rest);
    const reply = await this.#run({ kind: 'search', query, k, options: rest }, { signal });
    if (reply.kind !== 'found') throw new Error('An index answered another question.');
    return reply.neighbors;
  }

  /**
   * Writes a snapshot that holds every write awaited before, marked with the last change it holds. Searches wait meanwhile:
   * about a second a gigabyte.
   */
  async save(path: string, lastSeq: bigint): Promise<void> {
    await this.#write(async () => {
      await this.#change({ kind: 'save', path, lastSeq });
    });
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  /** After the writes before it, whether they failed or not. */
  #write(write: () => Promise<void>): Promise<void> {
    const done = this.#lastWrite.then(write);
    this.#lastWrite = done.catch(() => undefined);
    return done;
  }

  /** How long the thread took, in ms. */
  async #change(request: IndexRequest, options?: RunOptions): Promise<number> {
    const reply = await this.#run(request, options);
    if (reply.kind !== 'written') throw new Error('An index answered another question.');
    this.#size = reply.size;
    return reply.tookMs;
  }

  async #run(request: IndexRequest, options?: RunOptions): Promise<IndexResponse> {
    try {
      return await this.#pool.run(request, options);
    } catch (error) {
      if (!(error instanceof PlatformError) || error.code !== 'ENCODER_UNAVAILABLE') throw error;
      const story = 'The vector index is closed or its thread died: open it again.';
      throw new PlatformError('INDEX_UNAVAILABLE', story, { cause: error });
    }
  }
}

/** Larger or smaller by half at most, so that one slow chunk decides little. */
function nextChunk(chunk: number, tookMs: number): number {
  const fitting = Math.round((chunk * CHUNK_MS) / Math.max(tookMs, 0.01));
  return Math.min(Math.max(fitting, Math.ceil(chunk / 2), 2), chunk * 2, MOST_CHUNK);
}
