import { Random } from '../../platform/random.ts';
import type { TrainingSettings } from './settings.ts';
import type { CaptionedFeatures, TrainingData } from './training-data.ts';

/** How often a label prototype is named with its gloss rather than in a template. */
const GLOSS_SHARE = 0.25;

export interface Batch {
  /** Captions' rows, then label prototypes' rows: [pairs + prototypes, language dimensions]. */
  readonly features: Float32Array;
  /** The captions' photos, [pairs, dimensions]. */
  readonly targets: Float32Array;
}

/** Draws the batches. A batch depends on the seed and its step alone, so a run resumes with the batch it would have had. */
export class BatchSampler {
  readonly pairs: number;
  readonly prototypes: number;
  readonly #data: TrainingData;
  readonly #settings: TrainingSettings;
  readonly #width: number;
  readonly #dimensions: number;

  constructor(data: TrainingData, settings: TrainingSettings, width: number, dimensions: number) {
    this.#data = data;
    this.#settings = settings;
    this.#width = width;
    this.#dimensions = dimensions;
    this.pairs = Math.min(settings.batchSize, data.train.captionsOf.length);
    this.prototypes =
      data.prototypes && settings.prototypeWeight > 0 ? data.prototypes.named.length : 0;
  }

  batch(step: number): Batch {
    const random = new Random('batch', this.#settings.seed, step);
    const { train } = this.#data;
    const features = new Float32Array((this.pairs + this.prototypes) * this.#width);
    const targets = new Float32Array(this.pairs * this.#dimensions);
    this.#photosOf(step).forEach((photo, row) => {
      this.#writeCaption(features, row, train, photo, random);
      const view = random.pick(train.views);
      const start = photo * this.#dimensions;
      targets.set(view.subarray(start, start + this.#dimensions), row * this.#dimensions);
    });
    for (let label = 0; label < this.prototypes; label++) {
      this.#writePrototype(features, this.pairs + label, label, random);
    }
    return { features, targets };
  }

  /** Every photo once an epoch, in an order of the epoch's own; what doesn't fill a batch waits for the next epoch. */
  #photosOf(step: number): Uint32Array {
    const photos = this.#data.train.captionsOf.length;
    const stepsPerEpoch = Math.floor(photos / this.pairs);
    const order = new Random(
      'order',
      this.#settings.seed,
      Math.floor(step / stepsPerEpoch),
    ).permutation(photos);
    const start = (step % stepsPerEpoch) * this.pairs;
    return order.subarray(start, start + this.pairs);
  }

  /** One of the photo's captions, or a point between two of them. */
  #writeCaption(
    out: Float32Array,
    row: number,
    train: CaptionedFeatures,
    photo: number,
    random: Random,
  ): void {
    const rows = train.captionsOf[photo] ?? [];
    const [first, second] = [random.pick(rows), random.pick(rows)];
    const share = random.uniform() < this.#settings.mixShare ? random.uniform() : 1;
    const own = out.subarray(row * this.#width, (row + 1) * this.#width);
    const rowOf = (caption: number): Float32Array =>
      train.captions.subarray(caption * this.#width, (caption + 1) * this.#width);
    const a = rowOf(first);
    own.set(a);
    if (share === 1 || first === second) return;
    const b = rowOf(second);
    for (let i = 0; i < own.length; i++) own[i] = share * (a[i] ?? 0) + (1 - share) * (b[i] ?? 0);
  }

  #writePrototype(out: Float32Array, row: number, label: number, random: Random): void {
    const { prototypes } = this.#data;
    if (!prototypes) return;
    const pool = random.uniform() < GLOSS_SHARE ? prototypes.glossed : prototypes.named;
    const text = random.pick(pool[label] ?? []);
    out.set(
      prototypes.texts.subarray(text * this.#width, (text + 1) * this.#width),
      row * this.#width,
    );
  }
}

/** 0 where a hidden value is dropped, 1 / (1 - dropout) where it stays. */
export function fillDropoutMask(mask: Float32Array, dropout: number, random: Random): void {
  const threshold = Math.round(dropout * 256);
  const kept = 256 / (256 - threshold);
  random.bytes(mask.length).forEach((byte, i) => {
    mask[i] = byte < threshold ? 0 : kept;
  });
}
