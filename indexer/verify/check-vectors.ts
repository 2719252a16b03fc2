import { readChanges, type IndexKey } from '../../store/changes.ts';
import type { Queryable } from '../../store/transaction.ts';
import { MAX_LISTED, type Check } from './verify.ts';

/** How far a stored vector's length may be from 1. */
const LENGTH_TOLERANCE = 1e-4;

/** Every vector of the index: its width and its length. `dimensions`: null when only the length is known. */
export async function checkVectors(
  db: Queryable,
  key: IndexKey,
  dimensions: number | null,
): Promise<Check> {
  const violations: string[] = [];
  let looked = 0;
  for await (const { ids, vectors } of scanIndex(db, key)) {
    looked += ids.length;
    const width = vectors.length / Math.max(1, ids.length);
    if (dimensions !== null && ids.length > 0 && width !== dimensions) {
      violations.push(`vectors near image ${ids[0]} have ${width} numbers, not ${dimensions}`);
      continue;
    }
    ids.forEach((id, row) => {
      const length = Math.hypot(...vectors.subarray(row * width, (row + 1) * width));
      const isUnit = Math.abs(length - 1) <= LENGTH_TOLERANCE;
      if (!isUnit) violations.push(`the vector of image ${id} has length ${length}`);
    });
  }
  const name = 'every vector has the right width and length 1';
  return { name, looked, violations: violations.slice(0, MAX_LISTED), notes: [] };
}

export interface IndexPage {
  readonly ids: BigUint64Array;
  /** Row-major, one row an id. */
  readonly vectors: Float32Array;
}

/** All vectors of an index, a page at a time. */
export async function* scanIndex(
  db: Queryable,
  key: IndexKey,
  limit = 2000,
): AsyncGenerator<IndexPage> {
  let after = 0n;
  for (;;) {
    const page = await readChanges(db, key, { after, limit });
    if (page === null) return;
    yield page;
    after = page.lastSeq;
  }
}
