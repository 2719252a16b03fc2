import { TopK } from './top-k.ts';
import type { VectorRows } from './vector-rows.ts';

/** A native scan: the rows of the k largest dot products of a block of vectors, in any order. */
export type BlockScan = (
  vectors: Float32Array,
  query: Float32Array,
  dimensions: number,
  k: number,
) => Iterable<number>;

/** The k best of all rows; natively where there is a scan, and with the same answer where there is none. */
export function nearestOfAll(
  rows: VectorRows,
  query: Float32Array,
  k: number,
  scan: BlockScan | null,
): Iterable<number> {
  const wanted = Math.min(k, rows.size);
  if (wanted === 0) return [];
  if (scan !== null) return scan(rows.vectors, query, rows.dimensions, wanted);
  const best = new TopK(wanted);
  for (let row = 0; row < rows.size; row++) best.offer(row, rows.score(row, query));
  return best.rows;
}

/** The k best of some rows. */
export function nearestOfRows(
  rows: VectorRows,
  query: Float32Array,
  k: number,
  allowed: Iterable<number>,
): Iterable<number> {
  const best = new TopK(k);
  for (const row of allowed) best.offer(row, rows.score(row, query));
  return best.rows;
}
