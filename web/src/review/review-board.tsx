import { useEffect, useRef, type ReactNode } from 'react';
import { formatPercent } from '../components/number-words.ts';
import {
  BOARD_SIZE,
  type Decision,
  type ReviewItem,
  type ReviewSession,
  type ReviewSnapshot,
} from './review-session.ts';
import { ReviewButtons } from './review-buttons.tsx';
import { ReviewLarge } from './review-large.tsx';
import { DECIDED, questionOf } from './review-words.ts';
import { useReviewKeys } from './use-review-keys.ts';
import './review-board.css';

/** The tags on show, as pictures that keys or clicks decide about. */
export function ReviewBoard({
  session,
  snapshot,
  isOfOneLabel,
}: {
  readonly session: ReviewSession;
  readonly snapshot: ReviewSnapshot;
  /** Whether the label goes without saying. */
  readonly isOfOneLabel: boolean;
}): ReactNode {
  const board = useRef<HTMLDivElement>(null);
  const keys = useReviewKeys(session, snapshot, board);
  const { items, decisions, board: start } = snapshot;
  const shown = items.slice(start, start + BOARD_SIZE);
  const index = keys.current - start;
  useEffect(() => {
    // The keyboard follows the board from one tag to the next, but isn't taken away from other controls.
    const active = document.activeElement;
    if (active !== document.body && board.current?.contains(active) !== true) return;
    const tile = board.current?.children[index];
    if (tile instanceof HTMLElement) tile.focus();
  }, [start, index]);
  const large = keys.large === null ? undefined : items[keys.large];
  return (
    <div className="review" onKeyDown={keys.onKeyDown}>
      <ReviewButtons keys={keys} marked={keys.marked.size} />
      <div
        ref={board}
        className="review-board"
        role="listbox"
        aria-multiselectable="true"
        aria-label="Tags to review"
        tabIndex={-1}
      >
        {shown.map((item, i) => (
          <ReviewTile
            key={`${item.image.id} ${item.label}`}
            item={item}
            decision={decisions.get(start + i) ?? null}
            isCurrent={start + i === keys.current}
            isMarked={keys.marked.has(start + i)}
            isOfOneLabel={isOfOneLabel}
            onClick={(isShifted, isCommand) => {
              if (isCommand) keys.toggleMark(start + i);
              else keys.point(start + i, isShifted);
            }}
            onOpen={() => {
              keys.setLarge(start + i);
            }}
          />
        ))}
      </div>
      {large === undefined || keys.large === null ? null : (
        <ReviewLarge
          item={large}
          decision={decisions.get(keys.large) ?? null}
          keys={keys}
          onClose={() => {
            keys.setLarge(null);
          }}
        />
      )}
    </div>
  );
}

function ReviewTile({
  item,
  decision,
  isCurrent,
  isMarked,
  isOfOneLabel,
  onClick,
  onOpen,
}: {
  readonly item: ReviewItem;
  readonly decision: Decision | null;
  readonly isCurrent: boolean;
  readonly isMarked: boolean;
  readonly isOfOneLabel: boolean;
  readonly onClick: (isShifted: boolean, isCommand: boolean) => void;
  readonly onOpen: () => void;
}): ReactNode {
  const { image, label, probability, isTagged } = item;
  return (
    <div
      role="option"
      className="review-tile"
      tabIndex={isCurrent ? 0 : -1}
      aria-selected={isMarked}
      aria-label={`${image.path}: ${questionOf(item)} ${decision === null ? '' : DECIDED[decision]}`}
      data-decision={decision}
      data-marked={isMarked}
      onClick={(event) => {
        onClick(event.shiftKey, event.ctrlKey || event.metaKey);
      }}
      onDoubleClick={onOpen}
    >
      <img
        className="review-image"
        src={image.thumbnailUrl}
        alt=""
        width={image.width}
        height={image.height}
        draggable={false}
        decoding="async"
      />
      <span className="review-sign" aria-hidden="true">
        {decision === null ? (isMarked ? '●' : '') : SIGNS[decision]}
      </span>
      <span className="review-caption">
        {isOfOneLabel ? null : <strong className="review-label">{label}</strong>}
        <span className="review-probability">
          {formatPercent(probability)}
          {isTagged ? '' : ', not tagged'}
        </span>
      </span>
    </div>
  );
}

const SIGNS: Readonly<Record<Decision, string>> = { ACCEPT: '✓', REJECT: '✗', SKIP: '–' };
