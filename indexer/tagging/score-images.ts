import { availableParallelism } from 'node:os';
import { throwIfAborted } from '../../platform/errors.ts';
import { Similarity } from '../../models/similarity.ts';
import type { ImageId } from '../../store/ids.ts';
import { readRange, type ImageRange, type IndexedImages } from '../../store/image-ranges.ts';
import type { Queryable } from '../../store/transaction.ts';
import type { PreparedLabels } from './prepared-labels.ts';

/** Images of a range: 3 MB of embeddings at 384 dimensions. Preview and run cut the same way, so that they compute the same. */
export const RANGE_SIZE = 2000;
/** Scores that are made at once: 4 MB, and some 10 ms of choosing, after which others get their turn. */
const MOST_SCORES = 1_000_000;

/** Scores of some images of a range. */
export interface ScoreBlock {
  readonly ids: readonly ImageId[];
  /** [ids, columns]: a column a label, and the last one the background. */
  readonly scores: Float32Array;
  /** Labels + 1. */
  readonly columns: number;
}

/** Compares images with all labels. Holds the labels' vectors and a graph; `dispose` frees it. */
export class ImageScorer {
  readonly #similarity: Similarity;
  readonly #columns: Float32Array;
  readonly #dimensions: number;

  private constructor(similarity: Similarity, columns: Float32Array, dimensions: number) {
    this.#similarity = similarity;
    this.#columns = columns;
    this.#dimensions = dimensions;
  }

  static async load(
    prepared: Pick<PreparedLabels, 'vectors' | 'background' | 'dimensions'>,
  ): Promise<ImageScorer> {
    const { vectors, background, dimensions } = prepared;
    const columns = new Float32Array(vectors.length + dimensions);
    columns.set(vectors);
    columns.set(background, vectors.length);
    const similarity = await Similarity.load(dimensions, availableParallelism());
    return new ImageScorer(similarity, columns, dimensions);
  }

  /** The scores of a range's images, a block at a time, by rising id. Throws `ABORTED`. */
  async *scoreRange(
    db: Queryable,
    images: IndexedImages,
    range: Pick<ImageRange, 'from' | 'to'>,
    signal?: AbortSignal,
  ): AsyncGenerator<ScoreBlock, void> {
    const { ids, vectors } = await readRange(db, images, range);
    yield* this.score(ids, vectors, signal);
  }

  async *score(
    ids: readonly ImageId[],
    vectors: Float32Array,
    signal?: AbortSignal,
  ): AsyncGenerator<ScoreBlock, void> {
    const columns = this.#columns.length / this.#dimensions;
    const rows = Math.max(1, Math.floor(MOST_SCORES / columns));
    for (let start = 0; start < ids.length; start += rows) {
      throwIfAborted(signal);
      const some = vectors.subarray(start * this.#dimensions, (start + rows) * this.#dimensions);
      const scores = await this.#similarity.scores(some, this.#columns);
      yield { ids: ids.slice(start, start + rows), scores, columns };
    }
  }

  dispose(): Promise<void> {
    return this.#similarity.dispose();
  }
}
