import { useId, useRef, type ReactNode } from 'react';
import './confirm-button.css';

/** A button that asks before it does anything. */
export function ConfirmButton({
  label,
  question,
  children,
  isBusy,
  onConfirm,
}: {
  readonly label: string;
  readonly question: string;
  /** What will happen. */
  readonly children: ReactNode;
  readonly isBusy: boolean;
  readonly onConfirm: () => void;
}): ReactNode {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  return (
    <>
      <button
        type="button"
        className="button"
        aria-disabled={isBusy}
        aria-haspopup="dialog"
        onClick={() => {
          if (!isBusy) dialog.current?.showModal();
        }}
      >
        {label}
      </button>
      <dialog ref={dialog} className="confirm" aria-labelledby={titleId}>
        <h2 id={titleId} className="confirm-title">
          {question}
        </h2>
        {children}
        <div className="confirm-buttons">
          <button
            type="button"
            className="button"
            onClick={() => {
              dialog.current?.close();
            }}
          >
            No, leave it
          </button>
          <button
            type="button"
            className="button button-primary"
            onClick={() => {
              dialog.current?.close();
              onConfirm();
            }}
          >
            Yes, {label.charAt(0).toLowerCase() + label.slice(1)}
          </button>
        </div>
      </dialog>
    </>
  );
}
