import type { ReactNode } from 'react';
import { Header } from '../components/header.tsx';
import { Link } from '../components/link.tsx';
import { MoreButton } from '../components/more-button.tsx';
import { Notice } from '../components/notice.tsx';
import { PageRefusal } from '../components/page-refusal.tsx';
import { Problem } from '../components/problem.tsx';
import type { JobFactsFragment } from '../generated/operations.ts';
import { JobCard, jobName } from '../jobs/job-card.tsx';
import { JobFilterForm } from '../jobs/job-filter-form.tsx';
import { useJobs } from '../jobs/use-jobs.ts';
import { useLiveJob } from '../jobs/use-live-job.ts';
import { jobHref, type JobFilter } from '../location.ts';
import { useTitle } from '../use-title.ts';
import type { Start } from './start-page.tsx';
import '../styles/panels.css';

interface JobsPageProps {
  readonly start: Start;
  readonly filter: JobFilter;
}

/** What the server was asked to do with many images, and how far it is. */
export function JobsPage({ start, filter }: JobsPageProps): ReactNode {
  useTitle('Jobs');
  return (
    <>
      <Header start={start} section="jobs" collection={filter.collection} />
      {start.viewer.role === 'READER' ? (
        <PageRefusal title="Jobs are for curators and administrators" viewer={start.viewer} />
      ) : (
        <main className="page panel-page">
          <h1 className="panel-title">Jobs</h1>
          <JobFilterForm collections={start.collections} filter={filter} />
          <Jobs filter={filter} canAct={start.viewer.role === 'ADMIN'} />
        </main>
      )}
    </>
  );
}

function Jobs({
  filter,
  canAct,
}: {
  readonly filter: JobFilter;
  readonly canAct: boolean;
}): ReactNode {
  const pages = useJobs(filter);
  switch (pages.query.state) {
    case 'loading':
      return (
        <p className="panel-note" role="status">
          Loading…
        </p>
      );
    case 'failed':
      return <Problem error={pages.query.error} onRetry={pages.reload} />;
    case 'ready': {
      const { items, totalCount } = pages.query.data;
      if (items.length === 0) return <Notice title="There is no such job" />;
      return (
        <>
          <p className="panel-note" role="status">
            {items.length} of {totalCount} jobs, newest first
          </p>
          <ol className="panel-list" aria-label="Jobs">
            {items.map((job) => (
              <li key={job.id}>
                <LiveJobCard loaded={job} canAct={canAct} />
              </li>
            ))}
          </ol>
          <MoreButton pages={pages} />
        </>
      );
    }
  }
}

function LiveJobCard({
  loaded,
  canAct,
}: {
  readonly loaded: JobFactsFragment;
  readonly canAct: boolean;
}): ReactNode {
  const [job, put] = useLiveJob(loaded);
  return (
    <JobCard
      job={job}
      title={<Link href={jobHref(job.id)}>{jobName(job)}</Link>}
      canAct={canAct}
      onChange={put}
    />
  );
}
