export interface JudgedProbability {
  readonly probability: number;
  readonly accepted: boolean;
}

export interface ReliabilityBin {
  /** Mean of the verdicts'. */
  readonly probability: number;
  /** Share of the verdicts. */
  readonly accepted: number;
  readonly verdicts: number;
}

const BINS = 10;

/** Bins of equal width by rising probability; empty ones are left out. */
export function binsOf(judged: readonly JudgedProbability[]): readonly ReliabilityBin[] {
  const bins = Array.from({ length: BINS }, () => ({ sum: 0, accepted: 0, verdicts: 0 }));
  for (const { probability, accepted } of judged) {
    const bin = bins[Math.min(BINS - 1, Math.floor(probability * BINS))];
    if (bin === undefined) continue;
    bin.sum += probability;
    bin.accepted += accepted ? 1 : 0;
    bin.verdicts++;
  }
  return bins
    .filter(({ verdicts }) => verdicts > 0)
    .map(({ sum, accepted, verdicts }) => ({
      ...{ probability: sum / verdicts, accepted: accepted / verdicts, verdicts },
    }));
}

/** Expected calibration error, 0 to 1: how far probability and share accepted are apart, on average over the verdicts. */
export function calibrationError(bins: readonly ReliabilityBin[]): number {
  const all = bins.reduce((sum, { verdicts }) => sum + verdicts, 0);
  return bins.reduce(
    (sum, { probability, accepted, verdicts }) =>
      sum + (verdicts / all) * Math.abs(probability - accepted),
    0,
  );
}
