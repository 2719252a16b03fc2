import { createHash } from 'node:crypto';
import type { ImageId, LabelId } from '../../store/ids.ts';

/**
 * Draws pairs of image and label at random, each pair for itself and the same way whenever it is asked: by a hash over the run's seed,
 * the label and the image. Not for secrets; a few operations a pair.
 */
export class PairHash {
  readonly #labels: Int32Array;
  /** Hashes below it are drawn: [labels, rates of each]. */
  readonly #limits: Float64Array;
  #image = 0;

  /** `rates`: chances, as many for each label. */
  constructor(
    seed: string,
    labels: readonly { readonly labelId: LabelId; readonly rates: readonly number[] }[],
  ) {
    const start = createHash('sha256').update(seed).digest().readInt32LE(0);
    this.#labels = Int32Array.from(labels, ({ labelId }) => mix(start ^ mix(labelId)));
    this.#limits = Float64Array.from(
      labels.flatMap(({ rates }) => rates.map((rate) => rate * 2 ** 32)),
    );
  }

  /** The image that `isDrawn` is asked of from now on. */
  take(id: ImageId): void {
    this.#image = mix(mix(Number(id & 0xffffffffn) | 0) ^ Number(id >> 32n));
  }

  /** `place`: of the rate among all. */
  isDrawn(column: number, place: number): boolean {
    const hash = mix((this.#labels[column] ?? 0) ^ this.#image) >>> 0;
    return hash < (this.#limits[place] ?? 0);
  }
}

/** Murmur3's finalizer: every bit of the input changes half of the output's. */
function mix(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
