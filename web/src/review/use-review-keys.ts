import { useState, type KeyboardEvent, type RefObject } from 'react';
import {
  BOARD_SIZE,
  type Decision,
  type ReviewSession,
  type ReviewSnapshot,
} from './review-session.ts';

export interface ReviewKeys {
  /** Place of the tag that keys are about. */
  readonly current: number;
  /** Places that the next key is about, instead. */
  readonly marked: ReadonlySet<number>;
  /** Place of the tag that is shown large; null: none. */
  readonly large: number | null;
  readonly onKeyDown: (event: KeyboardEvent) => void;
  readonly point: (place: number, isShifted: boolean) => void;
  readonly toggleMark: (place: number) => void;
  readonly decide: (decision: Decision) => void;
  readonly undo: () => void;
  readonly setLarge: (place: number | null) => void;
}

/** Where somebody is on the board, and what keys do there. `board` is the element whose children are the tags. */
export function useReviewKeys(
  session: ReviewSession,
  snapshot: ReviewSnapshot,
  board: RefObject<HTMLElement | null>,
): ReviewKeys {
  const [wanted, setCurrent] = useState(0);
  const [marked, setMarked] = useState<ReadonlySet<number>>(new Set());
  const [large, setLarge] = useState<number | null>(null);
  const end = Math.min(snapshot.board + BOARD_SIZE, snapshot.items.length);
  const isOnBoard = wanted >= snapshot.board && wanted < end;
  const current = isOnBoard ? wanted : (firstOpen(snapshot, snapshot.board, end) ?? snapshot.board);

  function go(place: number): void {
    setCurrent(place);
    if (large !== null) setLarge(place);
    else focusOn(board.current, place - snapshot.board);
  }

  function decide(decision: Decision): void {
    const places = marked.size > 0 && large === null ? [...marked] : [current];
    session.decide(places, decision);
    setMarked(new Set());
    const after = session.getSnapshot();
    const stop = Math.min(after.board + BOARD_SIZE, after.items.length);
    const next = firstOpen(after, after.board === snapshot.board ? current : after.board, stop);
    const place = next ?? firstOpen(after, after.board, stop);
    setCurrent(place ?? after.board);
    if (large !== null) setLarge(place);
  }

  function undo(): void {
    const [place] = session.undo();
    if (place === undefined) return;
    setMarked(new Set());
    setCurrent(place);
    if (large !== null) setLarge(place);
  }

  function point(place: number, isShifted: boolean): void {
    if (isShifted) setMarked(new Set([...marked, ...between(current, place)]));
    go(place);
  }

  function toggleMark(place: number): void {
    const next = new Set(marked);
    if (!next.delete(place)) next.add(place);
    setMarked(next);
    setCurrent(place);
  }

  function move(step: number, isShifted: boolean): void {
    const place = current + step;
    if (place < snapshot.board || place >= end) return;
    point(place, isShifted && large === null);
  }

  function onKeyDown(event: KeyboardEvent): void {
    const isCommand = event.ctrlKey || event.metaKey;
    // A button's own keys press it.
    const isPressed = event.target instanceof HTMLButtonElement && /^(Enter| )$/.test(event.key);
    if (isPressed || event.altKey || (isCommand && event.key.toLowerCase() !== 'z')) return;
    const act = actionOf(event.key.toLowerCase(), isCommand);
    if (act === null) return;
    event.preventDefault();
    act(event.shiftKey);
  }

  function actionOf(key: string, isCommand: boolean): ((isShifted: boolean) => void) | null {
    if (isCommand) return undo;
    const columns = large === null ? columnsOf(board.current) : 1;
    switch (key) {
      case 'arrowleft':
        return (isShifted) => {
          move(-1, isShifted);
        };
      case 'arrowright':
        return (isShifted) => {
          move(1, isShifted);
        };
      case 'arrowup':
        return (isShifted) => {
          move(-columns, isShifted);
        };
      case 'arrowdown':
        return (isShifted) => {
          move(columns, isShifted);
        };
      case 'home':
        return () => {
          go(snapshot.board);
        };
      case 'end':
        return () => {
          go(end - 1);
        };
      case 'a':
        return () => {
          decide('ACCEPT');
        };
      case 'r':
        return () => {
          decide('REJECT');
        };
      case 's':
      case ' ':
        return () => {
          decide('SKIP');
        };
      case 'x':
        return () => {
          toggleMark(current);
        };
      case 'u':
        return undo;
      case 'enter':
        return () => {
          setLarge(large === null ? current : null);
        };
      case 'escape':
        return marked.size === 0
          ? null
          : () => {
              setMarked(new Set());
            };
      default:
        return null;
    }
  }

  return { current, marked, large, onKeyDown, point, toggleMark, decide, undo, setLarge };
}

/** The next one that waits, from a place on. */
function firstOpen({ decisions }: ReviewSnapshot, from: number, end: number): number | null {
  for (let place = from; place < end; place++) if (!decisions.has(place)) return place;
  return null;
}

function between(one: number, other: number): readonly number[] {
  const start = Math.min(one, other);
  return Array.from({ length: Math.abs(one - other) + 1 }, (_, i) => start + i);
}

/** How many stand in the first row: the keys up and down go by that. */
function columnsOf(board: HTMLElement | null): number {
  const tiles = [...(board?.children ?? [])].filter((it) => it instanceof HTMLElement);
  const [first] = tiles;
  const inRow = tiles.findIndex((tile) => tile.offsetTop !== first?.offsetTop);
  return Math.max(1, inRow === -1 ? tiles.length : inRow);
}

function focusOn(board: HTMLElement | null, index: number): void {
  const tile = board?.children[index];
  if (tile instanceof HTMLElement) tile.focus();
}
