import type { Similarity } from '../similarity.ts';

/** Rows compared at once: bounds the score matrix. */
const CHUNK_ROWS = 512;

export interface RetrievalRanks {
  /** Per caption: the rank of its photo among all photos, from 1. */
  readonly textToImage: Int32Array;
  /** Per photo: the rank of its best caption among all captions, from 1. */
  readonly imageToText: Int32Array;
}

/**
 * Ranks in both directions. `captions` [C, width] and `images` [I, width] are unit rows, `imageOf[c]` is caption c's photo.
 * Ties count against the right answer: a model that gives every photo the same score ranks last, not first.
 */
export async function retrievalRanks(
  similarity: Similarity,
  width: number,
  captions: Float32Array,
  images: Float32Array,
  imageOf: Int32Array,
): Promise<RetrievalRanks> {
  const imageCount = images.length / width;
  const textToImage = new Int32Array(imageOf.length);
  const best = new Float32Array(imageCount).fill(-Infinity);
  const eachRow = async (visit: (caption: number, scores: Float32Array) => void): Promise<void> => {
    for (let start = 0; start < imageOf.length; start += CHUNK_ROWS) {
      const part = captions.subarray(start * width, (start + CHUNK_ROWS) * width);
      const scores = await similarity.scores(part, images);
      for (let row = 0; row * width < part.length; row++) {
        visit(start + row, scores.subarray(row * imageCount, (row + 1) * imageCount));
      }
    }
  };

  await eachRow((caption, scores) => {
    const image = imageOf[caption] ?? 0;
    const own = scores[image] ?? 0;
    let rank = 0;
    for (const score of scores) if (score >= own) rank++; // counts itself
    textToImage[caption] = rank;
    best[image] = Math.max(best[image] ?? 0, own);
  });

  const imageToText = new Int32Array(imageCount).fill(1);
  await eachRow((caption, scores) => {
    const own = imageOf[caption] ?? 0;
    for (let image = 0; image < imageCount; image++) {
      if (image !== own && (scores[image] ?? 0) >= (best[image] ?? 0)) {
        imageToText[image] = (imageToText[image] ?? 0) + 1;
      }
    }
  });
  return { textToImage, imageToText };
}

/** Percentage of ranks within the first k. */
export function recallAt(ranks: Int32Array, k: number): number {
  const hits = ranks.reduce((count, rank) => (rank <= k ? count + 1 : count), 0);
  return (100 * hits) / ranks.length;
}

export function median(values: ArrayLike<number>): number {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}
