import type { EngineName } from './engines.ts';

/** Most neighbors one search may ask for. Deeper pages are read from a ranking made once. */
export const MAX_K = 10_000;

/** Most candidates a graph search may keep. */
export const MAX_EF = 10_000;

/**
 * Nearest neighbors among unit vectors, by cosine. Derived data: it can be thrown away and built again from the store.
 *
 * Calls may overlap. Writes happen in the order they were asked for; a search sees every write that was awaited before it, and
 * of a write under way either nothing, a part or all.
 */
export interface VectorIndex {
  /** Width of every vector. */
  readonly dimensions: number;
  /** Ids held, after the last write that was answered. */
  readonly size: number;
  readonly engine: EngineName;

  /**
   * Adds vectors, row-major [ids, dimensions], finite and of length 1. An id that is there gets its new vector; of an id given
   * twice the last counts. Throws `DIMENSION_MISMATCH` or `BAD_USER_INPUT` before anything is added.
   * The arrays must stay as they are until it is answered.
   */
  add(ids: BigUint64Array, vectors: Float32Array): Promise<void>;

  /** Removes ids; those that aren't there are ignored. */
  remove(ids: BigUint64Array): Promise<void>;

  /** The nearest to `query` (finite, length 1), best first; equal scores by id. `k`: 1 to `MAX_K`. */
  search(query: Float32Array, k: number, options?: SearchOptions): Promise<Neighbors>;
}

export interface SearchOptions {
  /**
   * Candidates a graph search keeps, at least k; the exact engine ignores it. Default 256. Useful: 32 to 768. Higher: better
   * recall, and time grows almost in proportion.
   */
  readonly ef?: number;
  /** Only these ids may be found; unknown ones are ignored, none finds nothing. Price: 8 bytes an id to the index's thread. */
  readonly allow?: BigUint64Array;
  /** Compare with every allowed vector, whatever the engine. Default false. Price: about 60 ns a vector of 384. */
  readonly exact?: boolean;
  /** Frees the caller at once; a search that has begun is finished and its answer dropped. */
  readonly signal?: AbortSignal;
}

/** How an answer was found: by comparing everything allowed, or through a graph that may miss some. */
export type SearchPath = 'EXACT' | 'HNSW';

/** Best first; fewer than k when fewer are allowed. */
export interface Neighbors {
  readonly ids: BigUint64Array;
  /** Cosines, computed from the float32 vectors whatever the engine stores. */
  readonly scores: Float32Array;
  readonly path: SearchPath;
}
