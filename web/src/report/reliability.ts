import type { TagReportQuery } from '../generated/operations.ts';

export type LabelReport = TagReportQuery['tagReport']['labels'][number];
export type ReliabilityBin = LabelReport['reliability'][number];

const BINS = 10;

/** The labels' bins as those of all labels together: by tenths of probability, each verdict counted once. */
export function overallReliability(labels: readonly LabelReport[]): readonly ReliabilityBin[] {
  const bins = labels.flatMap(({ reliability }) => reliability);
  return Array.from({ length: BINS }, (_, i) =>
    together(bins.filter(({ probability }) => binOf(probability) === i)),
  ).filter(({ verdicts }) => verdicts > 0);
}

function binOf(probability: number): number {
  return Math.min(BINS - 1, Math.floor(probability * BINS));
}

function together(bins: readonly ReliabilityBin[]): ReliabilityBin {
  const verdicts = sum(bins.map((bin) => bin.verdicts));
  const mean = (value: (bin: ReliabilityBin) => number): number =>
    verdicts === 0 ? 0 : sum(bins.map((bin) => value(bin) * bin.verdicts)) / verdicts;
  return {
    verdicts,
    probability: mean((it) => it.probability),
    accepted: mean((it) => it.accepted),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
