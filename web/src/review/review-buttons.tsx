import type { ReactNode } from 'react';
import { count } from '../components/number-words.ts';
import type { ReviewKeys } from './use-review-keys.ts';

/** The same as the keys do, for fingers and mice. */
export function ReviewButtons({
  keys: { decide, undo },
  marked,
}: {
  readonly keys: Pick<ReviewKeys, 'decide' | 'undo'>;
  /** How many are marked. */
  readonly marked: number;
}): ReactNode {
  return (
    <div className="review-buttons">
      <button
        type="button"
        className="button"
        aria-keyshortcuts="a"
        onClick={() => {
          decide('ACCEPT');
        }}
      >
        ✓ Accept
      </button>
      <button
        type="button"
        className="button"
        aria-keyshortcuts="r"
        onClick={() => {
          decide('REJECT');
        }}
      >
        ✗ Reject
      </button>
      <button
        type="button"
        className="button"
        aria-keyshortcuts="s"
        onClick={() => {
          decide('SKIP');
        }}
      >
        Skip
      </button>
      <button type="button" className="button button-quiet" aria-keyshortcuts="u" onClick={undo}>
        Undo
      </button>
      <p className="panel-note" role="status">
        {marked === 0 ? null : `${count(marked, 'picture')} marked`}
      </p>
    </div>
  );
}
