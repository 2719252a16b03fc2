import { stringify } from 'csv-stringify/sync';
import type { Estimate, TagReportRecord } from './report.ts';

const COLUMNS = [
  ...['label', 'count', 'threshold', 'is_calibrated', 'accepted', 'rejected'],
  ...['precision', 'precision_low', 'precision_high', 'precision_verdicts'],
  ...['recall', 'recall_low', 'recall_high', 'recall_verdicts'],
  ...['calibration_error', 'confused_with'],
] as const;

/** A row a label, RFC 4180; shares are from 0 to 1, and what isn't known is empty. */
export function reportCsv({ labels }: TagReportRecord): string {
  const rows = labels.map((one) => [
    ...[one.label, one.count, one.threshold, one.isCalibrated, one.accepted, one.rejected],
    ...cellsOf(one.precision),
    ...cellsOf(one.recall),
    one.calibrationError?.toFixed(4) ?? '',
    one.confusedWith.map(({ label, count }) => `${label} (${count})`).join(' | '),
  ]);
  return stringify([[...COLUMNS], ...rows], {
    record_delimiter: '\r\n',
    escape_formulas: true,
    cast: { boolean: String },
  });
}

function cellsOf(estimate: Estimate | null): readonly (string | number)[] {
  if (estimate?.value == null) return ['', '', '', estimate?.sampleSize ?? ''];
  const { value, low, high, sampleSize } = estimate;
  return [...[value, low, high].map((share) => share.toFixed(4)), sampleSize];
}
