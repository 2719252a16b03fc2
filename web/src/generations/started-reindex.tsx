import { useEffect, useRef, type ReactNode } from 'react';
import { Link } from '../components/link.tsx';
import type { JobFactsFragment } from '../generated/operations.ts';
import { useLiveJob } from '../jobs/use-live-job.ts';
import { jobHref } from '../location.ts';

/** The job that was started here. Its generation is made when a worker plans it, so it is followed. */
export function StartedReindex({
  loaded,
  onChange,
}: {
  readonly loaded: JobFactsFragment;
  /** Called whenever its state or its generation is another one. */
  readonly onChange: () => void;
}): ReactNode {
  const [job] = useLiveJob(loaded);
  const phase = `${job.id} ${job.state} ${job.generation?.id ?? ''}`;
  const seen = useRef('');
  useEffect(() => {
    if (seen.current !== phase) onChange();
    seen.current = phase;
  }, [phase, onChange]);
  return (
    <p className="panel-note">
      Started. <Link href={jobHref(job.id)}>See the job</Link>
    </p>
  );
}
