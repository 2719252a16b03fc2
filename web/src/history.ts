import { useMemo, useSyncExternalStore } from 'react';
import { parsePlace, type Place } from './location.ts';

/** Marks entries made by a click in the page, so that closing an image may go back instead of forward. */
interface EntryState {
  readonly fromHere: true;
}

const listeners = new Set<() => void>();

export function navigate(href: string): void {
  const state: EntryState = { fromHere: true };
  window.history.pushState(state, '', href);
  announce();
  // An image opens over the results, which stay where they are.
  if (parsePlace(window.location.pathname, '').page !== 'image') window.scrollTo(0, 0);
}

/** Takes the place of the current entry, which keeps its mark. */
export function redirect(href: string): void {
  window.history.replaceState(window.history.state, '', href);
  announce();
}

/** Back to where this entry was opened from; `href` when that was outside of the page. */
export function goBackOr(href: string): void {
  if (isEntryState(window.history.state)) window.history.back();
  else redirect(href);
}

export function usePlace(): Place {
  const href = useSyncExternalStore(subscribe, currentHref);
  return useMemo(() => {
    const { pathname, search } = new URL(href, window.location.origin);
    return parsePlace(pathname, search);
  }, [href]);
}

function currentHref(): string {
  return window.location.pathname + window.location.search;
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  window.addEventListener('popstate', listener);
  return () => {
    listeners.delete(listener);
    window.removeEventListener('popstate', listener);
  };
}

function announce(): void {
  for (const listener of listeners) listener();
}

function isEntryState(state: unknown): state is EntryState {
  return typeof state === 'object' && state !== null && 'fromHere' in state;
}
