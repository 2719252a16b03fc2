import { TopK } from './top-k.ts';
import type { VectorRows } from './vector-rows.ts';

/** A native scan: the rows of the k largest dot products of a block of vectors, best first. */
export type BlockScan = (
  vectors: Float32Array,
  query: Float32Array,
  dimensions: number,
  k: number,
) => readonly number[];

/** Below this many rows a loop here is done before a native call has begun. */
const LOOP_UNDER = 64;
/** Rows copied together for one native scan. */
const BLOCK_ROWS = 1024;
/** From this part on it is faster to scan all rows than to copy the allowed ones. */
const SCAN_ALL_PART = 1 / 5;
/** A scan of all rows gives this many times the rows that should hold k allowed ones. */
const OVER_FETCH = 3;

/** The k best of all rows; natively where there is a scan, and with the same answer where there is none. */
export function nearestOfAll(
  rows: VectorRows,
  query: Float32Array,
  k: number,
  scan: BlockScan | null,
): readonly number[] {
  const wanted = Math.min(k, rows.size);
  if (wanted === 0) return [];
  if (scan !== null) return scan(rows.vectors, query, rows.dimensions, wanted);
  const best = new TopK(wanted);
  for (let row = 0; row < rows.size; row++) best.offer(row, rows.score(row, query));
  return best.rows;
}

/** The k best of some rows, each named once. */
export function nearestOfRows(
  rows: VectorRows,
  query: Float32Array,
  k: number,
  allowed: Int32Array,
  scan: BlockScan | null,
): readonly number[] {
  if (scan === null || allowed.length < LOOP_UNDER) return loop(rows, query, k, allowed);
  if (allowed.length > SCAN_ALL_PART * rows.size) {
    const found = scanAllAndFilter(rows, query, k, allowed, scan);
    if (found.length >= k) return found; // every nearer row was among those scanned
  }
  return scanBlocks(rows, query, k, allowed, scan);
}

function loop(
  rows: VectorRows,
  query: Float32Array,
  k: number,
  some: Iterable<number>,
): readonly number[] {
  const best = new TopK(k);
  for (const row of some) best.offer(row, rows.score(row, query));
  return best.rows;
}

function scanAllAndFilter(
  rows: VectorRows,
  query: Float32Array,
  k: number,
  allowed: Int32Array,
  scan: BlockScan,
): readonly number[] {
  const isAllowed = new Uint8Array(rows.size);
  for (const row of allowed) isAllowed[row] = 1;
  const expected = Math.ceil((k * OVER_FETCH * rows.size) / allowed.length);
  return nearestOfAll(rows, query, expected, scan).filter((row) => isAllowed[row] === 1);
}

function scanBlocks(
  rows: VectorRows,
  query: Float32Array,
  k: number,
  allowed: Int32Array,
  scan: BlockScan,
): readonly number[] {
  const { vectors, dimensions } = rows;
  const block = new Float32Array(Math.min(BLOCK_ROWS, allowed.length) * dimensions);
  const candidates: number[] = [];
  for (let start = 0; start < allowed.length; start += BLOCK_ROWS) {
    const part = allowed.subarray(start, start + BLOCK_ROWS);
    part.forEach((row, at) => {
      block.set(vectors.subarray(row * dimensions, (row + 1) * dimensions), at * dimensions);
    });
    const filled = block.subarray(0, part.length * dimensions);
    const best = scan(filled, query, dimensions, Math.min(k, part.length));
    for (const at of best) candidates.push(part[at] ?? 0);
  }
  return loop(rows, query, k, candidates);
}
