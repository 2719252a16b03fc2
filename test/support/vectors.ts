import { Random } from '../../platform/random.ts';

export interface Vectors {
  readonly count: number;
  readonly dimensions: number;
  readonly ids: BigUint64Array;
  /** [count, dimensions], rows of length 1. */
  readonly rows: Float32Array;
  /** The cluster of each row. */
  readonly clusters: Int32Array;
}

export interface ClusterOptions {
  readonly count: number;
  readonly dimensions: number;
  readonly clusters?: number;
  /** Length of the noise around a centre of length 1. */
  readonly spread?: number;
  /** The first id; ids count up in steps of 3. */
  readonly firstId?: bigint;
  /** Centres depend on the seed; rows on both. */
  readonly stream?: string;
  /**
   * Numbers a vector really has; the rest of its width follows from them by one linear map. Photos' embeddings are like
   * that, and graphs find their neighbors far better than those of noise. Default: the whole width.
   */
  readonly latent?: number;
}

/** Unit vectors in clusters, as embeddings of photos are; three of ten lie anywhere. */
export function clusteredVectors(seed: string, options: ClusterOptions): Vectors {
  const { count, dimensions, clusters = 40, spread = 0.7, firstId = 1n, latent } = options;
  if (latent !== undefined) return widened(seed, options, latent);
  const centres = Array.from({ length: clusters }, (_, i) =>
    unit(new Random(seed, 'centre', i), dimensions),
  );
  const random = new Random(seed, options.stream ?? 'rows');
  const rows = new Float32Array(count * dimensions);
  const inCluster = new Int32Array(count);
  for (let row = 0; row < count; row++) {
    const cluster = random.below(clusters);
    inCluster[row] = cluster;
    const isLoose = random.uniform() < 0.3;
    const vector = unit(random, dimensions);
    const centre = centres[cluster] ?? vector;
    if (!isLoose) vector.forEach((x, i) => (vector[i] = (centre[i] ?? 0) + spread * x));
    rows.set(normalized(vector), row * dimensions);
  }
  const ids = BigUint64Array.from({ length: count }, (_, i) => firstId + 3n * BigInt(i));
  return { count, dimensions, ids, rows, clusters: inCluster };
}

function widened(seed: string, options: ClusterOptions, latent: number): Vectors {
  const { dimensions } = options;
  const narrow = clusteredVectors(seed, narrowed(options, latent));
  const random = new Random(seed, 'map');
  const map = Float32Array.from({ length: latent * dimensions }, () => random.normal());
  const rows = new Float32Array(narrow.count * dimensions);
  for (let row = 0; row < narrow.count; row++) {
    const wide = new Float32Array(dimensions);
    rowOf(narrow, row).forEach((x, i) => {
      for (let j = 0; j < dimensions; j++) {
        wide[j] = (wide[j] ?? 0) + x * (map[i * dimensions + j] ?? 0);
      }
    });
    rows.set(normalized(wide), row * dimensions);
  }
  return { ...narrow, dimensions, rows };
}

function narrowed(options: ClusterOptions, latent: number): ClusterOptions {
  const { count, clusters = 40, spread = 0.7, firstId = 1n, stream = 'rows' } = options;
  return { count, clusters, spread, firstId, stream, dimensions: latent };
}

export function rowOf({ rows, dimensions }: Vectors, row: number): Float32Array {
  return rows.slice(row * dimensions, (row + 1) * dimensions);
}

/** Cosine of two vectors of any length. */
export function cosineOf(a: Float32Array, b: Float32Array): number {
  let [dot, aa, bb] = [0, 0, 0];
  a.forEach((value, i) => {
    const other = b[i] ?? 0;
    dot += value * other;
    aa += value * value;
    bb += other * other;
  });
  return dot / Math.sqrt(aa * bb);
}

/** Share of the true neighbors that were found. */
export function recall(found: BigUint64Array, truth: BigUint64Array): number {
  const have = new Set(found);
  return truth.length === 0 ? 1 : truth.filter((id) => have.has(id)).length / truth.length;
}

/** The k nearest by a plain loop in float64: slow, and sharing nothing with what is tested. */
export function plainNearest(
  vectors: Pick<Vectors, 'ids' | 'rows' | 'dimensions'>,
  query: Float32Array,
  k: number,
  isAllowed: (id: bigint) => boolean = () => true,
): BigUint64Array {
  const scored = Array.from(vectors.ids, (id, row) => {
    let score = 0;
    for (let i = 0; i < vectors.dimensions; i++) {
      score += (vectors.rows[row * vectors.dimensions + i] ?? 0) * (query[i] ?? 0);
    }
    return { id, score };
  });
  const best = scored.filter(({ id }) => isAllowed(id)).sort((a, b) => b.score - a.score);
  return BigUint64Array.from(best.slice(0, k), ({ id }) => id);
}

function unit(random: Random, dimensions: number): Float32Array {
  return normalized(Float32Array.from({ length: dimensions }, () => random.normal()));
}

function normalized(vector: Float32Array): Float32Array {
  const length = Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0));
  return vector.map((x) => x / length);
}
