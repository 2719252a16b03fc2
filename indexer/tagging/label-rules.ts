import type { LabelId } from '../../store/ids.ts';
import type { LabelRecord } from '../../store/vocabularies.ts';
import type { Calibration } from './calibration.ts';
import { ancestorsOf } from './hierarchy.ts';
import { STRATA } from './strata.ts';

/** What a person chose for a run. */
export interface ChoiceOptions {
  /** The most labels an image gets, implied ones not counted; 1 to 100. */
  readonly maxTagsPerImage: number;
  /** The best so many an image gets in any case; 0 to `maxTagsPerImage`. */
  readonly minTagsPerImage: number;
  /** For labels without a threshold of their own, 0 to 1. */
  readonly minProbability: number;
}

/** What is known of one label before a run. */
export interface LabelRule {
  readonly labelId: LabelId;
  /** Probability from which on an image gets it. */
  readonly threshold: number;
  readonly calibration: Calibration;
  /** By stratum of probability: the chance of an image without the label to become a sample, 0 to 1. */
  readonly rates: readonly number[];
  /** Columns of the labels above it. */
  readonly ancestors: readonly number[];
}

/** Rules of all labels, in the order of their columns. `rates` come later: they follow from a first look. */
export function rulesOf(
  labels: readonly LabelRecord[],
  calibrations: ReadonlyMap<LabelId, Calibration>,
  { minProbability }: Pick<ChoiceOptions, 'minProbability'>,
): readonly LabelRule[] {
  const above = ancestorColumns(labels);
  return labels.map(({ id, threshold }, column) => {
    const calibration = calibrations.get(id);
    if (calibration === undefined) throw new Error(`The label ${id} has no calibration.`);
    const ancestors = above[column] ?? [];
    return {
      ...{ labelId: id, threshold: threshold ?? minProbability, calibration, ancestors },
      rates: STRATA.map(() => 0),
    };
  });
}

/** For each label the columns of those above it. */
export function ancestorColumns(
  labels: readonly Pick<LabelRecord, 'id' | 'parentIds'>[],
): readonly (readonly number[])[] {
  const columnOf = new Map(labels.map(({ id }, column) => [id, column]));
  const above = ancestorsOf(labels);
  return labels.map(({ id }) => (above.get(id) ?? []).flatMap((one) => columnOf.get(one) ?? []));
}

/** The least evidence with which a label has this probability: what spares an exponential for each pair. */
export function evidenceFrom(probability: number, calibration: Calibration): number {
  const { mean, deviation, slope, intercept } = calibration;
  if (probability <= 0) return -Infinity;
  if (probability >= 1) return Infinity;
  const logit = Math.log(probability / (1 - probability));
  return mean + (deviation * (logit - intercept)) / slope;
}
