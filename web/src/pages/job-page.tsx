import { useEffect, type ReactNode } from 'react';
import { CheckList } from '../components/check-list.tsx';
import { Header } from '../components/header.tsx';
import { Link } from '../components/link.tsx';
import { Notice } from '../components/notice.tsx';
import { PageRefusal } from '../components/page-refusal.tsx';
import { Problem } from '../components/problem.tsx';
import type { JobDetailQuery } from '../generated/operations.ts';
import { useClient } from '../graphql/client-context.ts';
import { JOB_DETAIL } from '../graphql/job-operations.ts';
import { useQuery } from '../graphql/use-query.ts';
import { JobCard, jobName } from '../jobs/job-card.tsx';
import { JobFailures } from '../jobs/job-failures.tsx';
import { isSettled } from '../jobs/job-words.ts';
import { PlanFacts } from '../jobs/plan-facts.tsx';
import { resultChecks } from '../jobs/result-checks.ts';
import { ResultFacts } from '../jobs/result-facts.tsx';
import { useLiveJob } from '../jobs/use-live-job.ts';
import { generationsHref, jobsHref } from '../location.ts';
import { useTitle } from '../use-title.ts';
import type { Start } from './start-page.tsx';
import '../styles/panels.css';

type JobDetail = NonNullable<JobDetailQuery['job']>;

/** One job with all that is known of it. */
export function JobPage({
  start,
  jobId,
}: {
  readonly start: Start;
  readonly jobId: string;
}): ReactNode {
  useTitle('Job');
  return (
    <>
      <Header start={start} section="jobs" collection={null} />
      {start.viewer.role === 'READER' ? (
        <PageRefusal title="Jobs are for curators and administrators" viewer={start.viewer} />
      ) : (
        <main className="page panel-page">
          <h1 className="visually-hidden">Job</h1>
          <p className="panel-note">
            <Link href={jobsHref({ collection: null, state: null })}>All jobs</Link>
          </p>
          <Job jobId={jobId} canAct={start.viewer.role === 'ADMIN'} />
        </main>
      )}
    </>
  );
}

function Job({ jobId, canAct }: { readonly jobId: string; readonly canAct: boolean }): ReactNode {
  const client = useClient();
  const [query, reload] = useQuery(jobId, (signal) =>
    client.execute(JOB_DETAIL, { id: jobId }, { signal }),
  );
  switch (query.state) {
    case 'loading':
      return (
        <p className="panel-note" role="status">
          Loading…
        </p>
      );
    case 'failed':
      return <Problem error={query.error} onRetry={reload} />;
    case 'ready':
      if (query.data.job === null) return <Notice title="There is no such job" />;
      return <LiveJob loaded={query.data.job} canAct={canAct} onEnd={reload} />;
  }
}

function LiveJob({
  loaded,
  canAct,
  onEnd,
}: {
  readonly loaded: JobDetail;
  readonly canAct: boolean;
  /** Called when it ends while it is on show: there is more to be seen then. */
  readonly onEnd: () => void;
}): ReactNode {
  const [job, put] = useLiveJob(loaded);
  const hasEnded = isSettled(job) && !isSettled(loaded);
  useEffect(() => {
    if (hasEnded) onEnd();
  }, [hasEnded, onEnd]);
  // A job that ended early tells of no checks; its generation may.
  const own = resultChecks(job.result);
  const checks = own.length > 0 ? [] : (loaded.generation?.checks ?? []);
  const collection = job.collection?.name ?? null;
  return (
    <>
      <JobCard job={job} title={jobName(job)} canAct={canAct} onChange={put} />
      {job.generation === null ? null : (
        <Part title="Generation">
          <p>
            {isSettled(job) ? 'It was about' : 'It builds'}{' '}
            <Link href={generationsHref(collection)}>generation {job.generation.number}</Link>.
          </p>
          {checks.length === 0 ? null : <CheckList checks={checks} />}
        </Part>
      )}
      {job.failed === 0 ? null : (
        <Part title="Failures">
          <JobFailures jobId={job.id} collection={collection} failed={job.failed} />
        </Part>
      )}
      {job.result === null ? null : (
        <Part title="Result">
          <ResultFacts result={job.result} />
        </Part>
      )}
      {job.plan === null ? null : (
        <Part title="Plan">
          <PlanFacts plan={job.plan} />
        </Part>
      )}
    </>
  );
}

function Part({
  title,
  children,
}: {
  readonly title: string;
  readonly children: ReactNode;
}): ReactNode {
  return (
    <section>
      <h2 className="panel-subtitle">{title}</h2>
      {children}
    </section>
  );
}
