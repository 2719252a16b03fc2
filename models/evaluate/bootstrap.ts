import { Random } from '../../platform/random.ts';

/** Resamples of a bootstrap: enough for two digits of a 95 % interval. */
const RESAMPLES = 1000;

/** Lower and upper end of a 95 % interval. */
export type Interval = readonly [low: number, high: number];

/**
 * 95 % percentile bootstrap interval of a statistic over `count` independent units (photos: a photo's captions stay
 * together). `statistic` gets the units drawn, with repeats. Seeded: the same data give the same interval.
 */
export function bootstrapInterval(
  count: number,
  statistic: (units: Uint32Array) => number,
): Interval {
  const random = new Random('bootstrap');
  const units = new Uint32Array(count);
  const values = new Float64Array(RESAMPLES);
  for (let i = 0; i < RESAMPLES; i++) {
    for (let j = 0; j < count; j++) units[j] = random.below(count);
    values[i] = statistic(units);
  }
  values.sort();
  return [
    values[Math.floor(RESAMPLES * 0.025)] ?? NaN,
    values[Math.ceil(RESAMPLES * 0.975) - 1] ?? NaN,
  ];
}

/** Interval of a ratio of sums over units: hits over chances, in percent. */
export function ratioInterval(hits: ArrayLike<number>, chances: ArrayLike<number>): Interval {
  return bootstrapInterval(hits.length, (units) => {
    let [top, bottom] = [0, 0];
    for (const unit of units) {
      top += hits[unit] ?? 0;
      bottom += chances[unit] ?? 0;
    }
    return (100 * top) / bottom;
  });
}
