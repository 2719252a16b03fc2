import { nearestOfAll, nearestOfRows, type BlockScan } from './exact-search.ts';
import { allowedRows, rank, type LocalIndex, type LocalSearchOptions } from './local-index.ts';
import type { Neighbors } from './vector-index.ts';
import { VectorRows } from './vector-rows.ts';

/** Compares with every vector: recall 1.000, nothing to build, nothing to corrupt. The oracle of every recall figure. */
export class ExactIndex implements LocalIndex {
  readonly engine = 'exact';
  readonly graph = null;
  readonly rows: VectorRows;
  readonly #scan: BlockScan | null;

  constructor(dimensions: number, scan: BlockScan | null) {
    this.rows = new VectorRows(dimensions);
    this.#scan = scan;
  }

  add(ids: BigUint64Array, vectors: Float32Array): void {
    this.rows.put(ids, vectors);
  }

  remove(ids: BigUint64Array): void {
    this.rows.remove(ids);
  }

  search(query: Float32Array, k: number, { allow }: LocalSearchOptions): Neighbors {
    if (allow !== undefined) return this.searchRows(query, k, allowedRows(this.rows, allow));
    const found = nearestOfAll(this.rows, query, k, this.#scan);
    return rank(this.rows, query, k, found, 'EXACT');
  }

  searchRows(query: Float32Array, k: number, allowed: Int32Array): Neighbors {
    const found = nearestOfRows(this.rows, query, k, allowed, this.#scan);
    return rank(this.rows, query, k, found, 'EXACT');
  }
}
