import { useEffect, useRef, type ReactNode } from 'react';
import { ReviewButtons } from './review-buttons.tsx';
import type { Decision, ReviewItem } from './review-session.ts';
import { DECIDED, questionOf } from './review-words.ts';
import type { ReviewKeys } from './use-review-keys.ts';

/** One tag's picture as large as the window; the same keys go on. */
export function ReviewLarge({
  item,
  decision,
  keys,
  onClose,
}: {
  readonly item: ReviewItem;
  readonly decision: Decision | null;
  readonly keys: ReviewKeys;
  readonly onClose: () => void;
}): ReactNode {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    element?.focus();
    return () => {
      element?.close();
    };
  }, []);
  const { image } = item;
  return (
    <dialog
      ref={dialog}
      className="review-large"
      aria-label={image.path}
      tabIndex={-1}
      onCancel={(event) => {
        event.preventDefault(); // what it shows closes it
        onClose();
      }}
    >
      <img
        key={image.id}
        className="review-large-image"
        src={image.largeUrl}
        alt={image.path}
        width={image.width}
        height={image.height}
      />
      <p className="review-large-question" aria-live="polite">
        {questionOf(item)} {decision === null ? null : DECIDED[decision]}
      </p>
      <div className="review-large-foot">
        <ReviewButtons keys={keys} marked={0} />
        <button type="button" className="button" onClick={onClose}>
          Back to the board
        </button>
      </div>
    </dialog>
  );
}
