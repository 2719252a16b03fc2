import type * as usearchModule from 'usearch';
import { PlatformError } from '../../platform/errors.ts';
import type { GraphSettings } from './engines.ts';
import type { BlockScan } from './exact-search.ts';
import type { Graph } from './graph.ts';

type Usearch = typeof usearchModule;

/** usearch keeps the larger of this and the count asked for as its beam, so a count is also an ef. */
const LEAST_BEAM = 1;

/** The package, or null on a platform it has no build for. */
export async function importUsearch(): Promise<Usearch | null> {
  try {
    return await import('usearch');
  } catch {
    return null;
  }
}

/** usearch's brute force: SIMD, five times the speed of a loop here. It reads a block from its buffer's first byte on. */
export function usearchScan({ exactSearch, MetricKind }: Usearch): BlockScan {
  return (vectors, query, dimensions, k) => {
    if (vectors.byteOffset !== 0) throw new Error('The block must be at the start of its buffer.');
    const own = Float32Array.from(query);
    const { keys } = exactSearch(vectors, own, dimensions, k, MetricKind.IP, 1) as {
      keys: BigUint64Array;
    };
    return Array.from(keys, Number);
  };
}

/** A usearch HNSW graph. Its keys are our ids. */
export class UsearchGraph implements Graph {
  readonly #index: usearchModule.Index;
  readonly #threads: number;

  constructor(usearch: Usearch | null, dimensions: number, settings: GraphSettings) {
    if (usearch === null) {
      const story = 'The engine usearch has no build for this platform';
      throw new PlatformError('INDEX_UNAVAILABLE', `${story}: choose VECTOR_ENGINE=exact.`);
    }
    this.#threads = settings.threads;
    this.#index = new usearch.Index({
      dimensions,
      metric: usearch.MetricKind.IP,
      quantization: usearch.ScalarKind.BF16,
      connectivity: settings.m,
      expansion_add: settings.efConstruction,
      expansion_search: LEAST_BEAM,
      multi: false,
    });
  }

  add(ids: BigUint64Array, vectors: Float32Array): void {
    this.#index.add(ids, vectors, this.#threads);
  }

  remove(ids: BigUint64Array): void {
    this.#index.remove(ids);
  }

  nearest(query: Float32Array, count: number): BigUint64Array {
    return this.#index.search(query, count, 1).keys;
  }

  save(path: string): Uint8Array {
    this.#index.save(path);
    return new Uint8Array(0);
  }

  load(path: string): void {
    this.#index.load(path);
  }
}
