const EMPTY = -1;
const LEAST_SLOTS = 16;

/** 64-bit ids read as pairs of 32-bit words: looking at a bigint would allocate one. */
export function idWords(ids: BigUint64Array): Uint32Array {
  return new Uint32Array(ids.buffer, ids.byteOffset, ids.length * 2);
}

/**
 * Ids to row numbers: an open-addressing table of typed arrays, 12 bytes a slot, at most half full. A `Map` of bigints takes
 * five times the memory and looks up slower, and a filter looks up every allowed id.
 */
export class IdTable {
  #words = new Uint32Array(LEAST_SLOTS * 2);
  #rows = new Int32Array(LEAST_SLOTS).fill(EMPTY);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The row of id number `at` of `words`, or -1. */
  get(words: Uint32Array, at: number): number {
    return this.#rows[this.#slotOf(words[2 * at] ?? 0, words[2 * at + 1] ?? 0)] ?? EMPTY;
  }

  set(words: Uint32Array, at: number, row: number): void {
    if (2 * (this.#size + 1) > this.#rows.length) this.#grow();
    const [low, high] = [words[2 * at] ?? 0, words[2 * at + 1] ?? 0];
    const slot = this.#slotOf(low, high);
    if (this.#rows[slot] === EMPTY) this.#size++;
    this.#put(slot, low, high, row);
  }

  /** Forgets an id; the ids behind it in its run move up, so that no tombstone stays. */
  delete(words: Uint32Array, at: number): void {
    let hole = this.#slotOf(words[2 * at] ?? 0, words[2 * at + 1] ?? 0);
    if (this.#rows[hole] === EMPTY) return;
    const mask = this.#rows.length - 1;
    for (let slot = (hole + 1) & mask; this.#rows[slot] !== EMPTY; slot = (slot + 1) & mask) {
      const [low, high] = [this.#words[2 * slot] ?? 0, this.#words[2 * slot + 1] ?? 0];
      const home = hash(low, high) & mask;
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue; // its home lies behind the hole
      this.#put(hole, low, high, this.#rows[slot] ?? EMPTY);
      hole = slot;
    }
    this.#rows[hole] = EMPTY;
    this.#size--;
  }

  #put(slot: number, low: number, high: number, row: number): void {
    this.#words[2 * slot] = low;
    this.#words[2 * slot + 1] = high;
    this.#rows[slot] = row;
  }

  /** Where the id is, or the empty slot where it would go. */
  #slotOf(low: number, high: number): number {
    const mask = this.#rows.length - 1;
    let slot = hash(low, high) & mask;
    while (this.#rows[slot] !== EMPTY) {
      if (this.#words[2 * slot] === low && this.#words[2 * slot + 1] === high) return slot;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #grow(): void {
    const [words, rows] = [this.#words, this.#rows];
    this.#words = new Uint32Array(words.length * 2);
    this.#rows = new Int32Array(rows.length * 2).fill(EMPTY);
    rows.forEach((row, slot) => {
      if (row === EMPTY) return;
      const [low, high] = [words[2 * slot] ?? 0, words[2 * slot + 1] ?? 0];
      this.#put(this.#slotOf(low, high), low, high, row);
    });
  }
}

/** Mixes both words into 32 bits (the finisher of MurmurHash3). */
function hash(low: number, high: number): number {
  let mixed = low ^ Math.imul(high, 0x9e3779b1);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
