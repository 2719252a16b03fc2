/**
 * Strata of probability, by their lower bounds: what samples are drawn within and estimates are weighted by. Narrow where there are
 * tags that a click teaches much about, wide at the bottom, where most images of a collection are.
 */
export const STRATA = [0, 0.02, 0.1, 0.25, 0.5, 0.7, 0.9] as const;

/** Which of `STRATA` a probability is in. */
export function stratumOf(probability: number): number {
  let stratum = STRATA.length - 1;
  while (stratum > 0 && probability < (STRATA[stratum] ?? 0)) stratum--;
  return stratum;
}
