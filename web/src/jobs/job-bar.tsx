import type { ReactNode } from 'react';
import type { JobFactsFragment } from '../generated/operations.ts';
import { countWords } from './job-words.ts';
import './job-bar.css';

/** Done, failed and skipped as parts of all; the words beside it say the same. */
export function JobBar({ job }: { readonly job: JobFactsFragment }): ReactNode {
  const { total, done, failed, skipped } = job;
  if (total === null || total === 0) return null;
  const percent = (count: number): string => `${(100 * count) / total}%`;
  return (
    <svg
      className="job-bar"
      role="progressbar"
      aria-label="Items with an outcome"
      aria-valuemin={0}
      aria-valuemax={total}
      aria-valuenow={done + failed + skipped}
      aria-valuetext={countWords(job)}
    >
      <rect className="job-bar-all" width="100%" height="100%" />
      <rect className="job-bar-done" width={percent(done)} height="100%" />
      <rect className="job-bar-failed" x={percent(done)} width={percent(failed)} height="100%" />
      <rect
        className="job-bar-skipped"
        x={percent(done + failed)}
        width={percent(skipped)}
        height="100%"
      />
    </svg>
  );
}
