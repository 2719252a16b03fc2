import { DEFAULT_EF, type EngineName } from './engines.ts';
import type { ExactIndex } from './exact-index.ts';
import type { Graph } from './graph.ts';
import { allowedRows, rank, type LocalIndex, type LocalSearchOptions } from './local-index.ts';
import type { Neighbors } from './vector-index.ts';

/** The graph is asked for this many times the candidates that should hold k allowed ones. */
const OVER_FETCH = 3;
/** A graph search of this part of the allowed vectors costs as much as comparing with each. */
const WORTHWHILE_PART = 1 / 4;
/** Grow by this when too few candidates were allowed. */
const WIDEN = 4;

export interface GraphIndexParts {
  readonly engine: EngineName;
  readonly graph: Graph;
  /** Holds the vectors; answers what the graph should not. */
  readonly exact: ExactIndex;
  readonly exactUnder: number;
}

/**
 * A graph finds candidates, the float32 vectors beside it score them. So scores are exact whatever the graph stores, filters
 * can be answered without the graph, and recall can be measured in production. Price: 4 bytes a number more.
 *
 * With a filter: all allowed vectors nearer than the k-th found are among the candidates if the candidates are the true
 * nearest, wherever the filter lies; so fewer than k allowed candidates is the only sign of a miss, and widening the cure.
 */
export class GraphIndex implements LocalIndex {
  readonly engine: EngineName;
  readonly graph: Graph;
  readonly #exact: ExactIndex;
  readonly #exactUnder: number;

  constructor({ engine, graph, exact, exactUnder }: GraphIndexParts) {
    this.engine = engine;
    this.graph = graph;
    this.#exact = exact;
    this.#exactUnder = exactUnder;
  }

  get rows(): ExactIndex['rows'] {
    return this.#exact.rows;
  }

  add(ids: BigUint64Array, vectors: Float32Array): void {
    const known = this.rows.rowsOf(ids);
    const replaced = unique(ids.filter((_, at) => (known[at] ?? -1) >= 0));
    if (replaced.length > 0) this.graph.remove(replaced);
    this.rows.put(ids, vectors);
    const added = unique(ids);
    this.graph.add(added, added.length === ids.length ? vectors : this.#vectorsOf(added));
  }

  remove(ids: BigUint64Array): void {
    const known = this.rows.rowsOf(ids);
    const removed = unique(ids.filter((_, at) => (known[at] ?? -1) >= 0));
    if (removed.length > 0) this.graph.remove(removed);
    this.rows.remove(removed);
  }

  search(query: Float32Array, k: number, options: LocalSearchOptions): Neighbors {
    const { allow, exact = false, ef = DEFAULT_EF } = options;
    if (exact || this.rows.size === 0) return this.#exact.search(query, k, options);
    if (allow === undefined) {
      const found = this.#throughGraph(query, k, Math.max(ef, k), null);
      return found ?? this.#exact.search(query, k, options);
    }
    const allowed = allowedRows(this.rows, allow);
    const found = allowed.length > this.#exactUnder ? this.#filtered(query, k, ef, allowed) : null;
    return found ?? this.#exact.searchRows(query, k, allowed);
  }

  #filtered(query: Float32Array, k: number, ef: number, allowed: Int32Array): Neighbors | null {
    const isAllowed = new Uint8Array(this.rows.size);
    for (const row of allowed) isAllowed[row] = 1;
    const expected = Math.ceil((k * OVER_FETCH * this.rows.size) / allowed.length);
    return this.#throughGraph(query, k, Math.max(ef, expected), { isAllowed, allowed });
  }

  /** Null when the graph is not worth asking. */
  #throughGraph(
    query: Float32Array,
    k: number,
    firstFetch: number,
    filter: { readonly isAllowed: Uint8Array; readonly allowed: Int32Array } | null,
  ): Neighbors | null {
    const most = (filter?.allowed.length ?? this.rows.size) * WORTHWHILE_PART;
    for (let fetch = firstFetch; fetch <= most; fetch *= WIDEN) {
      const candidates = this.rows.rowsOf(this.graph.nearest(query, fetch));
      const found = candidates.filter((row) => row >= 0 && filter?.isAllowed[row] !== 0);
      // The graph's own order is a little off where it stores less than float32; twice k holds the right ones.
      if (found.length >= k)
        return rank(this.rows, query, k, found.subarray(0, 2 * k + 32), 'HNSW');
    }
    return null;
  }

  #vectorsOf(ids: BigUint64Array): Float32Array {
    const { dimensions, vectors } = this.rows;
    const copied = new Float32Array(ids.length * dimensions);
    this.rows.rowsOf(ids).forEach((row, at) => {
      copied.set(vectors.subarray(row * dimensions, (row + 1) * dimensions), at * dimensions);
    });
    return copied;
  }
}

/** Itself when every id is there once. */
function unique(ids: BigUint64Array): BigUint64Array {
  const once = new Set(ids);
  return once.size === ids.length ? ids : BigUint64Array.from(once);
}
