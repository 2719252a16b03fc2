import { setImmediate } from 'node:timers/promises';
import { PlatformError } from '../../platform/errors.ts';
import { MAX_EF, MAX_K, type SearchOptions } from './vector-index.ts';

/** How far a length may be from 1: float16 storage of some thousand dimensions. */
const LENGTH_TOLERANCE = 1e-2;

/** Rows checked before the event loop gets a turn; about a millisecond. */
const ROWS_A_TURN = 2048;

/** Throws unless there is one finite unit vector an id. Takes turns with the event loop. */
export async function checkRows(
  ids: BigUint64Array,
  vectors: Float32Array,
  dimensions: number,
): Promise<void> {
  if (vectors.length !== ids.length * dimensions) {
    const story = `${ids.length} ids need ${ids.length} x ${dimensions} numbers`;
    throw new PlatformError('DIMENSION_MISMATCH', `${story}, not ${vectors.length}.`);
  }
  for (let row = 0; row < ids.length; row++) {
    if (row > 0 && row % ROWS_A_TURN === 0) await setImmediate();
    if (!isUnit(vectors, row * dimensions, dimensions)) {
      const story = `The vector of id ${String(ids[row])} is not finite and of length 1`;
      throw new PlatformError('BAD_USER_INPUT', `${story}: normalize it first.`);
    }
  }
}

export function checkQuery(query: Float32Array, dimensions: number): void {
  if (query.length !== dimensions) {
    const story = `The query is ${query.length} wide, the index ${dimensions}`;
    throw new PlatformError('DIMENSION_MISMATCH', `${story}.`);
  }
  if (!isUnit(query, 0, dimensions)) {
    const reason = 'The query is not finite and of length 1: normalize it first.';
    throw new PlatformError('BAD_USER_INPUT', reason);
  }
}

export function checkSearch(k: number, { ef }: SearchOptions): void {
  checkWhole('k', k, MAX_K);
  if (ef !== undefined) checkWhole('ef', ef, MAX_EF);
}

function checkWhole(name: string, value: number, most: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= most) return;
  const reason = `"${name}" must be a whole number from 1 to ${most}, not ${value}.`;
  throw new PlatformError('BAD_USER_INPUT', reason);
}

function isUnit(values: Float32Array, start: number, dimensions: number): boolean {
  let square = 0;
  for (let i = start; i < start + dimensions; i++) square += (values[i] ?? NaN) ** 2;
  return Math.abs(Math.sqrt(square) - 1) < LENGTH_TOLERANCE; // false for NaN and infinity
}
