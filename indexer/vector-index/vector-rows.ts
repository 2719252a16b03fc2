import { IdTable, idWords } from './id-table.ts';

const LEAST_CAPACITY = 256;

/**
 * Vectors in one contiguous block, dense: row `r` is the vector of `ids[r]`, and removing a row moves the last one into its
 * place. Native kernels get the block as it is, which is why it starts at offset 0 of its buffer.
 */
export class VectorRows {
  readonly dimensions: number;
  #vectors = new Float32Array(0);
  #ids = new BigUint64Array(0);
  #words = idWords(this.#ids);
  readonly #table = new IdTable();
  #size = 0;

  constructor(dimensions: number) {
    this.dimensions = dimensions;
  }

  get size(): number {
    return this.#size;
  }

  /** [size, dimensions]; a view, valid until the next write. */
  get vectors(): Float32Array {
    return this.#vectors.subarray(0, this.#size * this.dimensions);
  }

  /** A view, valid until the next write. */
  get ids(): BigUint64Array {
    return this.#ids.subarray(0, this.#size);
  }

  idOf(row: number): bigint {
    return this.#ids[row] ?? 0n;
  }

  /** The row of each id, -1 for unknown ones. */
  rowsOf(ids: BigUint64Array): Int32Array {
    const words = idWords(ids);
    return Int32Array.from({ length: ids.length }, (_, at) => this.#table.get(words, at));
  }

  /** Adds or overwrites; of an id given twice the last stays. */
  put(ids: BigUint64Array, vectors: Float32Array): void {
    this.#reserve(this.#size + ids.length);
    const words = idWords(ids);
    for (let at = 0; at < ids.length; at++) {
      let row = this.#table.get(words, at);
      if (row < 0) {
        row = this.#size++;
        this.#ids[row] = ids[at] ?? 0n;
        this.#table.set(words, at, row);
      }
      const start = at * this.dimensions;
      const vector = vectors.subarray(start, start + this.dimensions);
      this.#vectors.set(vector, row * this.dimensions);
    }
  }

  /** Removes what is there. */
  remove(ids: BigUint64Array): void {
    const words = idWords(ids);
    for (let at = 0; at < ids.length; at++) {
      const row = this.#table.get(words, at);
      if (row < 0) continue;
      this.#table.delete(words, at);
      this.#moveLastTo(row);
    }
  }

  /** The dot product of a row and a vector: their cosine. */
  score(row: number, query: Float32Array): number {
    const [vectors, end] = [this.#vectors, this.dimensions];
    let [a, b, c, d] = [0, 0, 0, 0];
    let at = row * end;
    let i = 0;
    for (; i + 3 < end; i += 4, at += 4) {
      a += (vectors[at] ?? 0) * (query[i] ?? 0);
      b += (vectors[at + 1] ?? 0) * (query[i + 1] ?? 0);
      c += (vectors[at + 2] ?? 0) * (query[i + 2] ?? 0);
      d += (vectors[at + 3] ?? 0) * (query[i + 3] ?? 0);
    }
    for (; i < end; i++, at++) a += (vectors[at] ?? 0) * (query[i] ?? 0);
    return a + b + c + d;
  }

  #moveLastTo(row: number): void {
    const last = --this.#size;
    if (last === row) return;
    const start = last * this.dimensions;
    this.#vectors.copyWithin(row * this.dimensions, start, start + this.dimensions);
    this.#ids[row] = this.#ids[last] ?? 0n;
    this.#table.set(this.#words, row, row);
  }

  /** Grows by half, so that adding one by one copies each vector about twice. */
  #reserve(rows: number): void {
    if (rows <= this.#ids.length) return;
    const capacity = Math.max(rows, Math.ceil(this.#ids.length * 1.5), LEAST_CAPACITY);
    const [vectors, ids] = [this.vectors, this.ids];
    this.#vectors = new Float32Array(capacity * this.dimensions);
    this.#vectors.set(vectors);
    this.#ids = new BigUint64Array(capacity);
    this.#ids.set(ids);
    this.#words = idWords(this.#ids);
  }
}
