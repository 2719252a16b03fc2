import type { ReactNode } from 'react';
import { IntervalBar } from '../components/bar.tsx';
import { formatPercent } from '../components/number-words.ts';
import type { EstimateFactsFragment } from '../generated/operations.ts';
import { formatCount } from '../jobs/job-words.ts';

/** A share with its interval, in words and as a bar. */
export function Estimate({
  estimate,
}: {
  readonly estimate: EstimateFactsFragment | null;
}): ReactNode {
  if (estimate?.value == null) return <span className="estimate-none">not measured</span>;
  const { value, low, high, sampleSize } = estimate;
  return (
    <span
      className="estimate"
      title={`${formatCount(sampleSize)} verdicts; 95 % interval ${formatPercent(low)} to ${formatPercent(high)}`}
    >
      <span>
        <strong>{formatPercent(value)}</strong>{' '}
        <span className="estimate-range">
          {formatPercent(low)} to {formatPercent(high)}
        </span>
      </span>
      <IntervalBar value={value} low={low} high={high} />
    </span>
  );
}
