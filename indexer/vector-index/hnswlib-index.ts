import { createRequire } from 'node:module';
import type * as hnswlibModule from 'hnswlib-node';
import { PlatformError } from '../../platform/errors.ts';
import type { GraphSettings } from './engines.ts';
import type { Graph } from './graph.ts';
import { checkHnswlibFile } from './hnswlib-file.ts';
import { IdTable, idWords } from './id-table.ts';

type Hnswlib = typeof hnswlibModule;

const LEAST_CAPACITY = 1024;
/** Most labels that may be hidden. Price: their memory, and search walks past them. */
const HIDDEN_PART = 1 / 3;

/** The package as `npm run build:hnswlib` compiled it, or null. */
export function requireHnswlib(): Hnswlib | null {
  try {
    return createRequire(import.meta.url)('hnswlib-node') as Hnswlib;
  } catch {
    return null;
  }
}

/**
 * An hnswlib graph. Its labels are 32 bits wide and longer ones are cut silently, so labels are dense numbers of our own; a
 * removed id's label is hidden, and used again only when a third of them are hidden: that repairs the neighborhood and takes
 * some 20 times as long as adding.
 *
 * The package aborts the process when it meets a number that isn't one or a filter that throws: it gets arrays made from
 * checked float32 values, and no filter.
 */
export class HnswlibGraph implements Graph {
  readonly #index: hnswlibModule.HierarchicalNSW;
  readonly #labels = new IdTable();
  #ids = new BigUint64Array(LEAST_CAPACITY);
  #used = 0;
  #free: number[] = [];

  constructor(hnswlib: Hnswlib | null, dimensions: number, settings: GraphSettings) {
    if (hnswlib === null) {
      const cure = 'run "npm run build:hnswlib" (it needs a C++ compiler, make and Python)';
      const story = `The engine hnswlib is not built: ${cure}, or choose VECTOR_ENGINE=auto.`;
      throw new PlatformError('INDEX_UNAVAILABLE', story);
    }
    this.#index = new hnswlib.HierarchicalNSW('ip', dimensions);
    const { m, efConstruction } = settings;
    this.#index.initIndex({ maxElements: LEAST_CAPACITY, m, efConstruction });
  }

  add(ids: BigUint64Array, vectors: Float32Array): void {
    const words = idWords(ids);
    const dimensions = vectors.length / ids.length;
    ids.forEach((id, at) => {
      const label = this.#takeLabel();
      const vector = vectors.subarray(at * dimensions, (at + 1) * dimensions);
      this.#index.addPoint(Array.from(vector), label); // unhides a label that is used again
      this.#ids[label] = id;
      this.#labels.set(words, at, label);
    });
  }

  remove(ids: BigUint64Array): void {
    const words = idWords(ids);
    for (let at = 0; at < ids.length; at++) {
      const label = this.#labels.get(words, at);
      if (label < 0) continue;
      this.#index.markDelete(label);
      this.#labels.delete(words, at);
      this.#free.push(label);
    }
  }

  nearest(query: Float32Array, count: number): BigUint64Array {
    const most = Math.min(count, this.#labels.size);
    this.#index.setEf(most);
    const { neighbors } = this.#index.searchKnn(Array.from(query), most);
    return BigUint64Array.from(neighbors, (label) => this.#ids[label] ?? 0n);
  }

  /** Beside the file: each label's id, and which labels are free. */
  save(path: string): Uint8Array {
    this.#index.writeIndexSync(path);
    checkHnswlibFile(path);
    const free = BigUint64Array.from(this.#free, BigInt);
    const beside = new BigUint64Array(1 + free.length + this.#used);
    beside[0] = BigInt(free.length);
    beside.set(free, 1);
    beside.set(this.#ids.subarray(0, this.#used), 1 + free.length);
    return new Uint8Array(beside.buffer);
  }

  load(path: string, beside: Uint8Array): void {
    this.#index.readIndexSync(path);
    const values = new BigUint64Array(beside.slice().buffer);
    const freeEnd = 1 + Number(values[0] ?? 0n);
    this.#free = Array.from(values.subarray(1, freeEnd), Number);
    this.#ids = values.slice(freeEnd);
    this.#used = this.#ids.length;
    const isFree = new Set(this.#free);
    const words = idWords(this.#ids);
    for (let label = 0; label < this.#used; label++) {
      if (!isFree.has(label)) this.#labels.set(words, label, label);
    }
  }

  #takeLabel(): number {
    const reused = this.#free.length > HIDDEN_PART * this.#used ? this.#free.pop() : undefined;
    if (reused !== undefined) return reused;
    const label = this.#used++;
    if (label >= this.#ids.length || label >= this.#index.getMaxElements()) this.#grow();
    return label;
  }

  #grow(): void {
    const capacity = Math.max(LEAST_CAPACITY, Math.ceil(this.#used * 1.5));
    const ids = new BigUint64Array(capacity);
    ids.set(this.#ids);
    this.#ids = ids;
    this.#index.resizeIndex(capacity);
  }
}
