import type { ReactNode } from 'react';
import type { JobFactsFragment } from '../generated/operations.ts';
import { isSettled } from '../jobs/job-words.ts';
import { PlanFacts } from '../jobs/plan-facts.tsx';
import { useLiveJob } from '../jobs/use-live-job.ts';

/** What a dry run found, and the button that makes it so. */
export function ReindexPlan({
  loaded,
  isBusy,
  onStart,
}: {
  readonly loaded: JobFactsFragment;
  readonly isBusy: boolean;
  readonly onStart: () => void;
}): ReactNode {
  const [job] = useLiveJob(loaded);
  if (job.plan === null) {
    return (
      <p className="panel-note" role="status">
        {isSettled(job) ? 'It could not be planned: see the list of jobs.' : 'Planning…'}
      </p>
    );
  }
  return (
    <section className="reindex-plan" aria-label="Plan">
      <PlanFacts plan={job.plan} />
      <button
        type="button"
        className="button button-primary"
        aria-disabled={isBusy}
        onClick={onStart}
      >
        Start the reindex
      </button>
    </section>
  );
}
