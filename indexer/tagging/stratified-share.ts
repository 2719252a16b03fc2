import { wilson, type Share } from './wilson.ts';

/*
 * How many members of a finite population are right, from verdicts on some of them.
 *
 * The population is cut into strata whose sizes are known. Within each, verdicts that were asked for at random (`drawn`) stand for all that
 * nobody looked at; verdicts that a person chose (`chosen`: the uncertain ones, the ones that caught the eye) stand only for themselves,
 * because they say nothing about the others. So reviewing what is doubtful doesn't bias the share. Only where nothing was drawn at all
 * do the chosen verdicts have to do.
 *
 *     right = Σ chosen right + Σ (rest of the stratum) · (share right among its drawn)
 *
 * The interval is Wilson's with the effective sample size, p(1 − p) ÷ the stratified estimator's variance, finite-population correction
 * included (Franco, Little, Louis and Slud, Journal of Survey Statistics and Methodology 7, 2019).
 */

export interface Verdicts {
  readonly count: number;
  readonly right: number;
}

export interface Stratum {
  readonly size: number;
  readonly drawn: Verdicts;
  readonly chosen: Verdicts;
}

export interface ShareOfPopulation extends Share {
  readonly size: number;
  /** Verdicts it is from. */
  readonly sampleSize: number;
}

/**
 * Null without any verdict. A stratum nobody drew from is taken to be like the one before that has draws, else the one after, as if known
 * from a single draw: give the strata in the order that errs on the careful side.
 */
export function shareOf(strata: readonly Stratum[]): ShareOfPopulation | null {
  const sampleSize = sum(strata, ({ drawn, chosen }) => drawn.count + chosen.count);
  if (sampleSize === 0) return null;
  const isDrawn = strata.some(({ drawn }) => drawn.count > 0);
  const parts = withBorrowed(strata.map(isDrawn ? withoutChosen : withChosenAsDrawn));
  const rest = sum(parts, (part) => part.size);
  const known = isDrawn ? sum(strata, ({ chosen }) => chosen.count) : 0;
  const knownRight = isDrawn ? sum(strata, ({ chosen }) => chosen.right) : 0;
  const share = rest === 0 ? { value: 0, low: 0, high: 0 } : shareOfRest(parts, rest);
  const of = (value: number): number => (knownRight + rest * value) / (known + rest);
  return {
    ...{ value: of(share.value), low: of(share.low), high: of(share.high) },
    ...{ size: known + rest, sampleSize },
  };
}

interface Part {
  readonly size: number;
  readonly count: number;
  readonly right: number;
  /** The draws are another stratum's. */
  readonly isBorrowed?: true;
}

function withoutChosen({ size, drawn, chosen }: Stratum): Part {
  return { size: Math.max(size - chosen.count, drawn.count), ...drawn };
}

function withChosenAsDrawn({ size, chosen }: Stratum): Part {
  return { size: Math.max(size, chosen.count), ...chosen };
}

function withBorrowed(parts: readonly Part[]): readonly Part[] {
  let last = parts.find(({ count }) => count > 0);
  return parts
    .map((part): Part => {
      if (part.count > 0) last = part;
      else if (last) return { ...last, size: part.size, isBorrowed: true };
      return part;
    })
    .filter(({ size, count }) => size > 0 && count > 0);
}

function shareOfRest(parts: readonly Part[], all: number): Share {
  const value = sum(parts, ({ size, count, right }) => ((size / all) * right) / count);
  // A stratum of three right ones isn't without variance: Laplace's rule stands in for it.
  const smooth = ({ count, right }: Part): number => (right + 1) / (count + 2);
  const even = sum(parts, (part) => (part.size / all) * smooth(part));
  const variance = sum(parts, (part) => {
    const [draws, left] = part.isBorrowed ? [1, 1] : [part.count, 1 - part.count / part.size];
    return (((part.size / all) ** 2 * smooth(part) * (1 - smooth(part))) / draws) * left;
  });
  return wilson(value, variance === 0 ? Infinity : (even * (1 - even)) / variance);
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

/**
 * found ÷ (found + missed) of two independent totals. The interval is that of a ratio by recovered variances (MOVER-R: Donner and Zou,
 * Statistical Methods in Medical Research 21, 2012), turned over.
 */
export function recallOf(found: ShareOfPopulation, missed: ShareOfPopulation): Share | null {
  const [a, b] = [totalOf(found), totalOf(missed)];
  if (a.value + b.value === 0) return null;
  if (a.value === 0) return { value: 0, low: 0, high: a.high / (a.high + b.low) };
  const upper = missedToFound(b, a);
  return {
    value: a.value / (a.value + b.value),
    low: 1 / (1 + upper.high),
    high: 1 / (1 + upper.low),
  };
}

function totalOf({ size, value, low, high }: ShareOfPopulation): Share {
  return { value: size * value, low: size * low, high: size * high };
}

/** Limits of the ratio of two totals, `under` above 0. */
function missedToFound(over: Share, under: Share): Omit<Share, 'value'> {
  const product = over.value * under.value;
  const limit = (edge: number, other: number, sign: 1 | -1): number => {
    const divisor = other * (2 * under.value - other);
    const inside =
      product ** 2 - edge * other * (2 * over.value - edge) * (2 * under.value - other);
    if (divisor <= 0) return sign === 1 ? Infinity : 0;
    return Math.max(0, (product + sign * Math.sqrt(Math.max(0, inside))) / divisor);
  };
  return { low: limit(over.low, under.high, -1), high: limit(over.high, under.low, 1) };
}
