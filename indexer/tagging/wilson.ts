/** A share with its 95 % interval. */
export interface Share {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Of the standard normal distribution: 95 % lie within this. */
const Z = 1.959964;

/**
 * Wilson's score interval of a share (Wilson 1927; Brown, Cai and DasGupta, Statistical Science 16, 2001). `count` may be an effective
 * one, and infinite where everything was looked at; 0 gives the whole range.
 */
export function wilson(value: number, count: number): Share {
  if (count <= 0) return { value, low: 0, high: 1 };
  if (count === Infinity) return { value, low: value, high: value };
  const spread = (Z * Z) / count;
  const centre = (value + spread / 2) / (1 + spread);
  const half = (Z / (1 + spread)) * Math.sqrt((value * (1 - value)) / count + spread / (4 * count));
  return {
    value,
    low: value === 0 ? 0 : Math.max(0, centre - half),
    high: value === 1 ? 1 : Math.min(1, centre + half),
  };
}
