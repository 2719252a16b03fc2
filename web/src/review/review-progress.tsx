import type { ReactNode } from 'react';
import { count } from '../components/number-words.ts';
import { Faults } from '../components/faults.tsx';
import type { ReviewSession, ReviewSnapshot } from './review-session.ts';

/** How far the review is, and whether what was decided has arrived. */
export function ReviewProgress({
  session,
  snapshot: { reviewed, remaining, unsent, sendError, loadError },
}: {
  readonly session: ReviewSession;
  readonly snapshot: ReviewSnapshot;
}): ReactNode {
  return (
    <>
      <p className="review-progress" role="status">
        <span>
          <strong>{reviewed.toLocaleString('en-GB')}</strong> reviewed here
        </span>
        <span>
          <strong>{remaining.toLocaleString('en-GB')}</strong> waiting
        </span>
        <span className="panel-note">{savingWords(unsent, sendError !== null)}</span>
      </p>
      {sendError === null ? null : (
        <>
          <Faults faults={[sendError]} />
          <div className="action-row">
            <button type="button" className="button" onClick={session.retrySending}>
              Send {count(unsent, 'verdict')} again
            </button>
          </div>
        </>
      )}
      {loadError === null ? null : (
        <>
          <Faults faults={[loadError]} />
          <div className="action-row">
            <button type="button" className="button" onClick={session.start}>
              Load more tags
            </button>
          </div>
        </>
      )}
    </>
  );
}

function savingWords(unsent: number, hasFailed: boolean): string {
  if (hasFailed) return `${count(unsent, 'verdict')} not saved yet`;
  return unsent === 0 ? 'All saved' : 'Saving…';
}
