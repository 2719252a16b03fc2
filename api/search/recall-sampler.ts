import {
  MAX_EF,
  type Neighbors,
  type VectorIndex,
} from '../../indexer/vector-index/vector-index.ts';
import { DEFAULT_EF } from '../../indexer/vector-index/engines.ts';

export interface RecallSamplerOptions {
  readonly index: Pick<VectorIndex, 'search'>;
  /** One of so many graph searches is repeated exactly. Default 50. Price: an exact search each. */
  readonly sampleEvery?: number;
  /** recall@10 that `ef` is raised for. Default 0.99. */
  readonly target?: number;
  readonly onFailure?: (error: unknown) => void;
}

export interface Observed {
  readonly query: Float32Array;
  readonly allow: BigUint64Array | undefined;
  readonly found: Neighbors;
}

const NEIGHBORS = 10;
/** Samples that `recallAt10` is the mean of. */
const WINDOW = 200;
/** Samples since `ef` last changed before it may change again. */
const ENOUGH = 20;
const RAISE = 1.5;

/**
 * Measures recall@10 where it counts, on the queries people ask: now and then a graph search is repeated exactly, one at a time
 * and after its answer is out. When the mean falls under the target, `ef` rises by half and the samples begin anew.
 */
export class RecallSampler {
  readonly #options: Required<RecallSamplerOptions>;
  readonly #recalls: number[] = [];
  #ef = DEFAULT_EF;
  #seen = 0;
  #isSampling = false;

  constructor(options: RecallSamplerOptions) {
    this.#options = { sampleEvery: 50, target: 0.99, onFailure: () => undefined, ...options };
  }

  /** Candidates that a graph search keeps. */
  get ef(): number {
    return this.#ef;
  }

  get samples(): number {
    return this.#recalls.length;
  }

  /** Mean of the last samples at the present `ef`, 0..1; null before there is one. */
  get recallAt10(): number | null {
    if (this.#recalls.length === 0) return null;
    return this.#recalls.reduce((sum, recall) => sum + recall, 0) / this.#recalls.length;
  }

  observe({ query, allow, found }: Observed): void {
    if (found.path !== 'HNSW' || this.#seen++ % this.#options.sampleEvery !== 0) return;
    if (this.#isSampling) return;
    this.#isSampling = true;
    void this.#sample({ query, allow, found }).finally(() => (this.#isSampling = false));
  }

  async #sample({ query, allow, found }: Observed): Promise<void> {
    const { index, onFailure } = this.#options;
    const { ef } = this;
    try {
      const options = { exact: true, ...(allow ? { allow } : {}) };
      const truth = await index.search(query, NEIGHBORS, options);
      if (ef === this.#ef) this.#add(overlap(truth, found));
    } catch (error) {
      onFailure(error);
    }
  }

  #add(recall: number): void {
    this.#recalls.push(recall);
    if (this.#recalls.length > WINDOW) this.#recalls.shift();
    const mean = this.recallAt10 ?? 1;
    if (this.#recalls.length < ENOUGH || mean >= this.#options.target || this.#ef >= MAX_EF) return;
    this.#ef = Math.min(MAX_EF, Math.round(this.#ef * RAISE));
    this.#recalls.length = 0;
  }
}

/**
 * Share of the true neighbors found. Counted by score, so that of two equally near images either will do; an answer shorter than
 * ten is compared as far as it goes.
 */
function overlap(truth: Neighbors, found: Neighbors): number {
  const wanted = Math.min(truth.ids.length, Math.max(found.ids.length, 1));
  const least = truth.scores[wanted - 1] ?? -1;
  const hits = found.scores.subarray(0, wanted).filter((score) => score >= least).length;
  return wanted === 0 ? 1 : hits / wanted;
}
