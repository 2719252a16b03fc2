import type { EngineName } from './engines.ts';
import type { Graph } from './graph.ts';
import type { Neighbors, SearchOptions, SearchPath } from './vector-index.ts';
import type { VectorRows } from './vector-rows.ts';

export type LocalSearchOptions = Omit<SearchOptions, 'signal'>;

/** An index inside its own thread: synchronous, input already checked. `ThreadIndex` is its face to everybody else. */
export interface LocalIndex {
  readonly engine: EngineName;
  readonly rows: VectorRows;
  /** Null in the exact engine. */
  readonly graph: Graph | null;
  add(ids: BigUint64Array, vectors: Float32Array): void;
  remove(ids: BigUint64Array): void;
  search(query: Float32Array, k: number, options: LocalSearchOptions): Neighbors;
}

/** Orders rows by score, then id, and keeps the first k. */
export function rank(
  rows: VectorRows,
  query: Float32Array,
  k: number,
  found: Iterable<number>,
  path: SearchPath,
): Neighbors {
  const ranked = Array.from(found, (row) => ({ id: rows.idOf(row), score: rows.score(row, query) }))
    .sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1))
    .slice(0, k);
  return {
    ids: BigUint64Array.from(ranked, ({ id }) => id),
    scores: Float32Array.from(ranked, ({ score }) => score),
    path,
  };
}

/** The rows of the allowed ids, each once. */
export function allowedRows(rows: VectorRows, allow: BigUint64Array): Int32Array {
  const isTaken = new Uint8Array(rows.size);
  return rows.rowsOf(allow).filter((row) => {
    if (row < 0 || isTaken[row] === 1) return false;
    isTaken[row] = 1;
    return true;
  });
}
