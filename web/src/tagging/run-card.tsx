import { useEffect, useId, useState, type ReactNode } from 'react';
import { ConfirmButton } from '../components/confirm-button.tsx';
import { FactList, type Fact } from '../components/fact-list.tsx';
import { Faults } from '../components/faults.tsx';
import { Link } from '../components/link.tsx';
import { Moment } from '../components/moment.tsx';
import { count, formatPercent } from '../components/number-words.ts';
import type { JobFactsFragment, RunFactsFragment } from '../generated/operations.ts';
import { textModelName } from '../generations/generation-words.ts';
import { useClient } from '../graphql/client-context.ts';
import { REVERT_TAG_RUN } from '../graphql/tag-operations.ts';
import { useAction } from '../graphql/use-action.ts';
import { JobBar } from '../jobs/job-bar.tsx';
import { countWords, formatCount, isSettled, stateName } from '../jobs/job-words.ts';
import { StartedJob } from '../jobs/started-job.tsx';
import { useLiveJob } from '../jobs/use-live-job.ts';
import { jobHref, reportHref, reviewHref } from '../location.ts';
import { RunLabels } from './run-labels.tsx';
import { optionWords, RUN_STATE_NAMES } from './run-words.ts';

/** One run: what it was asked for, what came of it, how far it is. */
export function RunCard({
  run,
  collection,
  canAct,
  onChange,
}: {
  readonly run: RunFactsFragment;
  readonly collection: string;
  readonly canAct: boolean;
  /** Called when it may be in another state. */
  readonly onChange: () => void;
}): ReactNode {
  const titleId = useId();
  const [isOpen, setIsOpen] = useState(false);
  const { state, job, vocabulary, vocabularyVersion, isStale, supersededBy } = run;
  const isShown = state === 'APPLIED' && supersededBy === null;
  const scope = { collection, vocabulary: vocabulary.name };
  return (
    <article className="panel-card" aria-labelledby={titleId}>
      <div className="panel-card-head">
        <h3 id={titleId} className="panel-card-title">
          {vocabulary.name}, version {vocabularyVersion}
        </h3>
        <p className="states">
          {isStale && state === 'APPLIED' ? <span className="state">Stale</span> : null}
          {supersededBy !== null && state === 'APPLIED' ? (
            <span className="state">Superseded</span>
          ) : null}
          <span className="state" data-state={isShown ? 'LIVE' : state}>
            {RUN_STATE_NAMES[state]}
          </span>
        </p>
      </div>
      <FactList facts={factsOf(run)} />
      <Remarks run={run} />
      {job === null ? null : <RunJob loaded={job} onEnd={onChange} />}
      <div className="action-row">
        {isShown && canAct ? (
          <Link className="button" href={reviewHref({ ...scope, label: null, order: 'MIXED' })}>
            Review
          </Link>
        ) : null}
        {isShown ? (
          <Link className="button" href={reportHref(scope)}>
            Report
          </Link>
        ) : null}
        {state === 'APPLIED' || state === 'REVERTED' ? (
          <button
            type="button"
            className="button"
            aria-expanded={isOpen}
            onClick={() => {
              setIsOpen(!isOpen);
            }}
          >
            Labels
          </button>
        ) : null}
        {state === 'APPLIED' && canAct ? <RevertButton run={run} onChange={onChange} /> : null}
      </div>
      {isOpen ? <RunLabels runId={run.id} /> : null}
    </article>
  );
}

function factsOf(run: RunFactsFragment): readonly Fact[] {
  const { images, tagged, tags, textModel, createdAt, createdBy, appliedAt, revertedAt } = run;
  const none = images - tagged;
  const counts: readonly Fact[] =
    run.state === 'APPLIED' || run.state === 'REVERTED'
      ? [
          ['Tags', formatCount(tags)],
          ['Images', `${formatCount(tagged)} of ${formatCount(images)} tagged`],
          [
            'Without',
            `${count(none, 'image')} (${formatPercent(images === 0 ? 0 : none / images)})`,
          ],
        ]
      : [];
  return [
    ...counts,
    ['Options', optionWords(run.options)],
    ['Text model', textModelName(textModel)],
    [
      'Started',
      <span key="started">
        <Moment at={createdAt} />
        {createdBy === null ? null : ` by ${createdBy}`}
      </span>,
    ],
    ...(appliedAt === null ? [] : [['Applied', <Moment key="applied" at={appliedAt} />] as const]),
    ...(revertedAt === null
      ? []
      : [['Reverted', <Moment key="reverted" at={revertedAt} />] as const]),
  ];
}

function Remarks({ run }: { readonly run: RunFactsFragment }): ReactNode {
  if (run.state !== 'APPLIED') return null;
  return (
    <>
      {run.isStale ? (
        <p className="panel-note">
          Stale: the collection is searched through another text model by now. Run it again.
        </p>
      ) : null}
      {run.supersededBy === null ? null : (
        <p className="panel-note">
          Superseded by the run of <Moment at={run.supersededBy.createdAt} />, whose tags show
          instead; reverting that one brings these back.
        </p>
      )}
    </>
  );
}

/** How far its job is, until it ends. */
function RunJob({
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
      {isSettled(job) ? null : <JobBar job={job} />}
      <p className="panel-note" role="status">
        Job: <Link href={jobHref(job.id)}>{stateName(job).toLowerCase()}</Link>
        {isSettled(job) ? null : `, ${countWords(job)}`}
      </p>
    </>
  );
}

function RevertButton({
  run,
  onChange,
}: {
  readonly run: RunFactsFragment;
  readonly onChange: () => void;
}): ReactNode {
  const client = useClient();
  const { isBusy, faults, run: act } = useAction();
  const [started, setStarted] = useState<JobFactsFragment | null>(null);
  return (
    <>
      <ConfirmButton
        label="Revert"
        question="Take this run’s tags back?"
        isBusy={isBusy}
        onConfirm={() => {
          const input = { id: run.id };
          act(
            async () => (await client.execute(REVERT_TAG_RUN, { input })).revertTagRun,
            ({ job }) => {
              setStarted(job);
            },
          );
        }}
      >
        <p>
          Its {count(run.tags, 'tag')} go at once, as if it had never been. What people set,
          accepted or rejected stays, and so do other runs; tags that it superseded show again.
        </p>
      </ConfirmButton>
      {started === null ? null : (
        <StartedJob key={started.id} loaded={started} onChange={onChange} />
      )}
      <Faults faults={faults} />
    </>
  );
}
