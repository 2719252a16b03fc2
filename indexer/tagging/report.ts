import type { TagRunRecord } from '../../store/tag-runs.ts';

/** A share with its 95 % interval. */
export interface Estimate {
  /** Null: nothing was looked at. */
  readonly value: number | null;
  readonly low: number;
  readonly high: number;
  readonly sampleSize: number;
}

export interface LabelReportRecord {
  readonly label: string;
  readonly count: number;
  readonly accepted: number;
  readonly rejected: number;
  readonly threshold: number;
  readonly isCalibrated: boolean;
  readonly precision: Estimate;
  readonly recall: Estimate | null;
  readonly calibrationError: number | null;
  readonly reliability: readonly { probability: number; accepted: number; verdicts: number }[];
  readonly confusedWith: readonly { label: string; count: number }[];
}

export interface TagReportRecord {
  readonly tagRun: TagRunRecord;
  readonly images: number;
  readonly tags: number;
  readonly precision: Estimate;
  readonly recall: Estimate | null;
  readonly labels: readonly LabelReportRecord[];
}
