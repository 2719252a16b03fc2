import { useId, type ReactNode } from 'react';
import { Moment, formatDuration } from '../components/moment.tsx';
import type { JobFactsFragment } from '../generated/operations.ts';
import { JobActions } from './job-actions.tsx';
import { JobBar } from './job-bar.tsx';
import { KIND_NAMES, countWords, isDryRun, stateName } from './job-words.ts';
import { PlanWords } from './plan-facts.tsx';
import './job-card.css';

/** One job at a glance. */
export function JobCard({
  job,
  title,
  canAct,
  onChange,
}: {
  readonly job: JobFactsFragment;
  /** Its name, or a link of that name. */
  readonly title: ReactNode;
  readonly canAct: boolean;
  /** Called with what a mutation answered. */
  readonly onChange: (job: JobFactsFragment) => void;
}): ReactNode {
  const titleId = useId();
  return (
    <article className="job-card" aria-labelledby={titleId}>
      <div className="job-card-head">
        <h2 id={titleId} className="job-card-title">
          {title}
        </h2>
        <p className="state" data-state={isDryRun(job) ? 'DRY_RUN' : job.state}>
          {stateName(job)}
        </p>
      </div>
      <p className="job-card-origin">
        <Origin job={job} />
      </p>
      <JobBar job={job} />
      {isDryRun(job) || (job.total ?? 0) === 0 ? null : (
        <p className="job-card-counts">
          <span>{countWords(job)}</span>
          <Speed job={job} />
        </p>
      )}
      {job.plan === null ? null : <PlanWords plan={job.plan} />}
      <Reason result={job.result} state={job.state} />
      {canAct ? <JobActions job={job} onChange={onChange} /> : null}
    </article>
  );
}

export function jobName({ kind, collection }: JobFactsFragment): string {
  return collection === null ? KIND_NAMES[kind] : `${KIND_NAMES[kind]}: ${collection.name}`;
}

function Origin({
  job: { createdAt, createdBy, startedAt, finishedAt },
}: {
  readonly job: JobFactsFragment;
}): ReactNode {
  const seconds = startedAt === null ? null : secondsBetween(startedAt, finishedAt);
  return (
    <>
      Asked for <Moment at={createdAt} />
      {createdBy === null ? null : ` by ${createdBy}`}
      {finishedAt === null ? null : (
        <>
          {', '}ended <Moment at={finishedAt} />
          {seconds === null ? null : ` after ${formatDuration(seconds)}`}
        </>
      )}
    </>
  );
}

function Speed({ job }: { readonly job: JobFactsFragment }): ReactNode {
  const { itemsPerSecond, etaSeconds, state } = job;
  if (state !== 'RUNNING') return null;
  const parts = [
    ...(itemsPerSecond === null ? [] : [`${formatRate(itemsPerSecond)} per second`]),
    ...(etaSeconds === null ? [] : [`${formatDuration(etaSeconds)} left`]),
  ];
  return <span>{parts.length === 0 ? 'Measuring the rate…' : parts.join(', ')}</span>;
}

/** Why a job failed as a whole. */
function Reason({
  result,
  state,
}: {
  readonly result: unknown;
  readonly state: JobFactsFragment['state'];
}): ReactNode {
  if (state !== 'FAILED') return null;
  if (typeof result !== 'object' || result === null || !('message' in result)) return null;
  return <p className="job-card-reason">{String(result.message)}</p>;
}

function secondsBetween(start: string, end: string | null): number | null {
  return end === null ? null : (Date.parse(end) - Date.parse(start)) / 1000;
}

function formatRate(rate: number): string {
  return rate >= 10 ? String(Math.round(rate)) : rate.toFixed(1);
}
