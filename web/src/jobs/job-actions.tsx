import { useRef, type ReactNode } from 'react';
import { ConfirmButton } from '../components/confirm-button.tsx';
import { Faults } from '../components/faults.tsx';
import type { JobFactsFragment, JobOutcomeFragment } from '../generated/operations.ts';
import { useClient } from '../graphql/client-context.ts';
import type { Operation } from '../graphql/client.ts';
import {
  CANCEL_JOB,
  PAUSE_JOB,
  RESUME_JOB,
  RETRY_FAILED_ITEMS,
} from '../graphql/job-operations.ts';
import { useAction } from '../graphql/use-action.ts';
import { useFocusWhenButtonGoes } from '../use-focus-when-button-goes.ts';
import { possibleActions } from './job-words.ts';

/** The buttons of a job, for administrators. */
export function JobActions({
  job,
  onChange,
}: {
  readonly job: JobFactsFragment;
  readonly onChange: (job: JobFactsFragment) => void;
}): ReactNode {
  const client = useClient();
  const { isBusy, faults, run } = useAction();
  const possible = possibleActions(job);
  const row = useRef<HTMLDivElement>(null);
  useFocusWhenButtonGoes(row, job.state);

  function send<Name extends string>(
    operation: Operation<Readonly<Record<Name, JobOutcomeFragment>>, { readonly id: string }>,
    name: Name,
  ): void {
    run(
      async () => (await client.execute(operation, { id: job.id }))[name],
      (outcome) => {
        if (outcome.job !== null) onChange(outcome.job);
      },
    );
  }

  return (
    <>
      <div ref={row} className="action-row" tabIndex={-1}>
        {possible.includes('pause') ? (
          <ActionButton
            label="Pause"
            isBusy={isBusy}
            onClick={() => {
              send(PAUSE_JOB, 'pauseJob');
            }}
          />
        ) : null}
        {possible.includes('resume') ? (
          <ActionButton
            label="Resume"
            isBusy={isBusy}
            onClick={() => {
              send(RESUME_JOB, 'resumeJob');
            }}
          />
        ) : null}
        {possible.includes('retry') ? (
          <ActionButton
            label="Retry failed"
            isBusy={isBusy}
            onClick={() => {
              send(RETRY_FAILED_ITEMS, 'retryFailedItems');
            }}
          />
        ) : null}
        {possible.includes('cancel') ? (
          <ConfirmButton
            label="Cancel"
            question="Cancel this job?"
            isBusy={isBusy}
            onConfirm={() => {
              send(CANCEL_JOB, 'cancelJob');
            }}
          >
            <p>
              What isn&rsquo;t done is skipped, what is done stays. A cancelled job can&rsquo;t be
              resumed.
            </p>
          </ConfirmButton>
        ) : null}
      </div>
      <Faults faults={faults} />
    </>
  );
}

function ActionButton({
  label,
  isBusy,
  onClick,
}: {
  readonly label: string;
  readonly isBusy: boolean;
  readonly onClick: () => void;
}): ReactNode {
  return (
    <button type="button" className="button" aria-disabled={isBusy} onClick={onClick}>
      {label}
    </button>
  );
}
