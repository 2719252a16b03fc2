import { availableParallelism } from 'node:os';
import { PlatformError } from '../../platform/errors.ts';
import { readClassifiedPhotos } from '../dataset.ts';
import { joinRows } from '../rows.ts';
import { Similarity } from '../similarity.ts';
import { bootstrapInterval, type Interval } from './bootstrap.ts';
import { counter, type Encoders, type EvaluateOptions } from './retrieval.ts';

export interface ZeroShotReport {
  /** Percent of photos whose class scores highest. */
  readonly top1: number;
  /** Percent of photos whose class is among the five highest. */
  readonly top5: number;
  /** Mean over classes of the percent right at first place: small classes count as much as large ones. */
  readonly meanPerClass: number;
  readonly interval: Readonly<Record<'top1' | 'top5' | 'meanPerClass', Interval>>;
  readonly images: number;
  readonly classes: number;
  readonly perClass: readonly {
    readonly name: string;
    readonly images: number;
    readonly top1: number;
  }[];
  readonly skipped: readonly { readonly path: string; readonly reason: string }[];
}

/** Zero-shot classification: each photo against the class names alone, in the bundle's prompt templates. */
export async function evaluateZeroShot(
  folder: string,
  limitPerClass: number,
  encoders: Encoders,
  { signal, onProgress }: EvaluateOptions = {},
): Promise<ZeroShotReport> {
  const { classes, photos } = await readClassifiedPhotos(folder, limitPerClass);
  const labels = await encoders.texts.encodeClasses(classes, { signal });
  const encoded = await encoders.images.encodeAll(
    photos.map(({ path }) => ({ image: path })),
    {
      signal,
      onProgress: counter(photos.length, (done) => onProgress?.('photos', done, photos.length)),
    },
  );
  const usable = photos.flatMap(({ label }, i) => {
    const embedding = encoded[i]?.embedding;
    return embedding ? [{ label, embedding }] : [];
  });
  const skipped = photos.flatMap(({ path }, i) => {
    const error = encoded[i]?.error;
    return error ? [{ path, reason: error.message }] : [];
  });
  if (usable.length === 0) {
    throw new PlatformError(
      'INVALID_DATASET',
      `No photo in ${folder} can be read: ${skipped[0]?.reason ?? ''}`,
    );
  }

  const width = encoders.images.dimensions;
  const similarity = await Similarity.load(width, availableParallelism());
  try {
    const images = joinRows(
      usable.map(({ embedding }) => embedding),
      width,
    );
    const scores = await similarity.scores(images, joinRows(labels, width));
    const labelOf = Int32Array.from(usable, ({ label }) => label);
    return { ...summarize(labelOf, ranksOf(scores, labelOf, classes.length), classes), skipped };
  } finally {
    await similarity.dispose();
  }
}

/** Rank of each photo's own class, from 1; ties count against it. */
function ranksOf(scores: Float32Array, labelOf: Int32Array, classCount: number): Int32Array {
  return labelOf.map((label, photo) => {
    const row = scores.subarray(photo * classCount, (photo + 1) * classCount);
    const own = row[label] ?? 0;
    return row.reduce((rank, score) => (score >= own ? rank + 1 : rank), 0);
  });
}

function summarize(
  labelOf: Int32Array,
  ranks: Int32Array,
  classes: readonly string[],
): Omit<ZeroShotReport, 'skipped'> {
  const percentWithin = (units: Iterable<number>, k: number): number => {
    let [hits, all] = [0, 0];
    for (const unit of units) {
      all++;
      if ((ranks[unit] ?? Infinity) <= k) hits++;
    }
    return (100 * hits) / all;
  };
  const meanPerClass = (units: Iterable<number>): number => {
    const hits = new Float64Array(classes.length);
    const all = new Float64Array(classes.length);
    for (const unit of units) {
      const label = labelOf[unit] ?? 0;
      all[label] = (all[label] ?? 0) + 1;
      if (ranks[unit] === 1) hits[label] = (hits[label] ?? 0) + 1;
    }
    const shares = [...hits]
      .map((hit, i) => (100 * hit) / (all[i] ?? 0))
      .filter((share) => !Number.isNaN(share));
    return shares.reduce((sum, share) => sum + share, 0) / shares.length;
  };
  const everyone = [...ranks.keys()];
  const interval = (statistic: (units: Uint32Array) => number): Interval =>
    bootstrapInterval(ranks.length, statistic);
  return {
    top1: percentWithin(everyone, 1),
    top5: percentWithin(everyone, 5),
    meanPerClass: meanPerClass(everyone),
    interval: {
      top1: interval((units) => percentWithin(units, 1)),
      top5: interval((units) => percentWithin(units, 5)),
      meanPerClass: interval(meanPerClass),
    },
    images: ranks.length,
    classes: classes.length,
    perClass: classes.map((name, label) => {
      const own = everyone.filter((unit) => labelOf[unit] === label);
      return { name, images: own.length, top1: own.length === 0 ? 0 : percentWithin(own, 1) };
    }),
  };
}
