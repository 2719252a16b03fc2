import { useEffect, useId, type ReactNode } from 'react';
import { CheckList } from '../components/check-list.tsx';
import { FactList, type Fact } from '../components/fact-list.tsx';
import { Link } from '../components/link.tsx';
import { Moment } from '../components/moment.tsx';
import type { GenerationFactsFragment, JobFactsFragment } from '../generated/operations.ts';
import { JobBar } from '../jobs/job-bar.tsx';
import { KIND_NAMES, countWords, formatCount, isSettled, stateName } from '../jobs/job-words.ts';
import { useLiveJob } from '../jobs/use-live-job.ts';
import { jobHref } from '../location.ts';
import { GENERATION_STATE_NAMES, textModelName } from './generation-words.ts';
import './generation-card.css';

type Generation = GenerationFactsFragment;

/** One generation with what was found out about it. */
export function GenerationCard({
  generation,
  onChange,
  children,
}: {
  readonly generation: Generation;
  /** Called when the job that builds it ends. */
  readonly onChange: () => void;
  /** Its buttons. */
  readonly children: ReactNode;
}): ReactNode {
  const titleId = useId();
  const { number, state, discardedAt, checks, job } = generation;
  return (
    <article
      className="generation-card"
      aria-labelledby={titleId}
      data-discarded={discardedAt !== null}
    >
      <div className="generation-card-head">
        <h3 id={titleId} className="generation-card-title">
          Generation {number}
        </h3>
        <p className="state" data-state={discardedAt === null ? state : 'DISCARDED'}>
          {discardedAt === null ? GENERATION_STATE_NAMES[state] : 'Discarded'}
        </p>
      </div>
      <FactList facts={factsOf(generation)} />
      {job === null ? null : <BuildingJob loaded={job} onEnd={onChange} />}
      {checks.length === 0 ? null : <CheckList checks={checks} />}
      {children}
    </article>
  );
}

function factsOf(generation: Generation): readonly Fact[] {
  const { visionSpace, textModel, images, state, createdAt } = generation;
  const { promotedAt, retiredAt, discardedAt, reclaimedAt } = generation;
  return [
    ['Vision space', `${visionSpace.name}, ${visionSpace.dimensions} dimensions`],
    ['Text model', textModelName(textModel)],
    ['Images', formatCount(images)],
    ...moment('Made', createdAt),
    ...moment('Went live', promotedAt),
    // One that came back by a roll-back was retired, but isn't.
    ...moment('Retired', state === 'LIVE' ? null : retiredAt),
    ...moment('Discarded', discardedAt),
    ...moment('Deleted', reclaimedAt),
  ];
}

function moment(name: string, at: string | null): readonly Fact[] {
  return at === null ? [] : [[name, <Moment key={name} at={at} />]];
}

/** The job behind it; how far it is, while it goes on. */
function BuildingJob({
  loaded,
  onEnd,
}: {
  readonly loaded: JobFactsFragment;
  readonly onEnd: () => void;
}): ReactNode {
  const [job] = useLiveJob(loaded);
  const hasEnded = isSettled(job) && !isSettled(loaded);
  useEffect(() => {
    if (hasEnded) onEnd();
  }, [hasEnded, onEnd]);
  return (
    <>
      <p className="panel-note">
        Job: <Link href={jobHref(job.id)}>{KIND_NAMES[job.kind]}</Link>,{' '}
        {stateName(job).toLowerCase()}
        {isSettled(job) ? null : `, ${countWords(job)}`}
      </p>
      {isSettled(job) ? null : <JobBar job={job} />}
    </>
  );
}
