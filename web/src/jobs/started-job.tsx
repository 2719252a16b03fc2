import { useEffect, useRef, type ReactNode } from 'react';
import { Link } from '../components/link.tsx';
import type { JobFactsFragment } from '../generated/operations.ts';
import { jobHref } from '../location.ts';
import { countWords, isSettled, stateName } from './job-words.ts';
import { useLiveJob } from './use-live-job.ts';

/** A job that was started here, in a line. What it makes may come later than it does, so it is followed. */
export function StartedJob({
  loaded,
  onChange,
}: {
  readonly loaded: JobFactsFragment;
  /** Called whenever it is in another state. */
  readonly onChange: () => void;
}): ReactNode {
  const [job] = useLiveJob(loaded);
  const phase = `${job.id} ${job.state}`;
  const seen = useRef('');
  useEffect(() => {
    if (seen.current !== phase) onChange();
    seen.current = phase;
  }, [phase, onChange]);
  return (
    <p className="panel-note" role="status">
      Started: <Link href={jobHref(job.id)}>the job</Link> is {stateName(job).toLowerCase()}
      {isSettled(job) || job.total === null ? '' : `, ${countWords(job)}`}.
    </p>
  );
}
