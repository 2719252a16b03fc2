import { PlatformError } from '../platform/errors.ts';

declare const embeddingBrand: unique symbol;

/** A unit vector in the shared image-text space. Only `normalize` and `splitEmbeddings` make one. */
export type Embedding = Float32Array & { readonly [embeddingBrand]: true };

/** How far an encoder's output may be from length 1 (float32 rounding of some thousand dimensions). */
const LENGTH_TOLERANCE = 1e-3;

/** Scales a vector to length 1. Throws `NON_FINITE_OUTPUT` for NaN, infinity or the zero vector. */
export function normalize(values: Float32Array): Embedding {
  const length = Math.hypot(...values);
  if (!Number.isFinite(length) || length === 0) {
    throw new PlatformError(
      'NON_FINITE_OUTPUT',
      'A vector without finite length has no direction.',
    );
  }
  return values.map((value) => value / length) as Embedding;
}

/**
 * Cuts an encoder's output, [count, dimensions] row by row, into embeddings that own their memory.
 * Throws `NON_FINITE_OUTPUT` when a row is not a finite unit vector.
 */
export function splitEmbeddings(rows: Float32Array, dimensions: number): Embedding[] {
  const embeddings: Embedding[] = [];
  for (let start = 0; start < rows.length; start += dimensions) {
    const row = rows.slice(start, start + dimensions);
    let square = 0;
    for (const value of row) square += value * value;
    if (!(Math.abs(Math.sqrt(square) - 1) < LENGTH_TOLERANCE)) {
      throw new PlatformError(
        'NON_FINITE_OUTPUT',
        'An encoder gave a vector that is not of length 1.',
      );
    }
    embeddings.push(row as Embedding);
  }
  return embeddings;
}

/** Cosine similarity, -1..1. */
export function cosine(a: Embedding, b: Embedding): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
}

/** The direction between several embeddings: their mean, normalized. */
export function meanEmbedding(embeddings: readonly Embedding[]): Embedding {
  const sum = new Float32Array(embeddings[0]?.length ?? 0);
  for (const embedding of embeddings)
    embedding.forEach((value, i) => (sum[i] = (sum[i] ?? 0) + value));
  return normalize(sum);
}
