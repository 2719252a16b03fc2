import { createCipheriv, createHash, type Cipher } from 'node:crypto';

const BUFFER_BYTES = 4096;

/**
 * Seeded random numbers: the AES-128-CTR stream of a key made from the seeds. The same seeds give the same numbers on
 * every machine, and streams of different seeds ('dropout', step 17) are independent, so a run resumes where it was.
 */
export class Random {
  readonly #cipher: Cipher;
  #buffer = Buffer.alloc(0);
  #offset = 0;

  constructor(...seeds: readonly (string | number)[]) {
    const key = createHash('sha256').update(JSON.stringify(seeds)).digest().subarray(0, 16);
    this.#cipher = createCipheriv('aes-128-ctr', key, Buffer.alloc(16));
  }

  bytes(count: number): Uint8Array {
    return this.#cipher.update(Buffer.alloc(count));
  }

  /** Evenly from [0, 1), in steps of 2^-32. */
  uniform(): number {
    if (this.#offset >= this.#buffer.length) {
      this.#buffer = this.#cipher.update(Buffer.alloc(BUFFER_BYTES));
      this.#offset = 0;
    }
    const value = this.#buffer.readUInt32LE(this.#offset);
    this.#offset += 4;
    return value / 2 ** 32;
  }

  /** A whole number from 0 to below `end`. */
  below(end: number): number {
    return Math.floor(this.uniform() * end);
  }

  /** Standard normal (Box-Muller). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new RangeError('Nothing to pick from.');
    return item;
  }

  /** The whole numbers 0 to below `count` in random order (Fisher-Yates). */
  permutation(count: number): Uint32Array {
    const order = Uint32Array.from({ length: count }, (_, i) => i);
    for (let i = count - 1; i > 0; i--) {
      const j = this.below(i + 1);
      const held = order[i] ?? 0;
      order[i] = order[j] ?? 0;
      order[j] = held;
    }
    return order;
  }
}
