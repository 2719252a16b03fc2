import { useEffect, useRef } from 'react';

/** The button that was pressed may be gone afterwards: the keyboard goes on at what is in its place. */
export function useFocusWhenButtonGoes(
  row: { readonly current: HTMLElement | null },
  /** Changes when a button may go. */
  state: string,
): void {
  const hadFocus = useRef(false);
  useEffect(() => {
    if (hadFocus.current && document.activeElement === document.body) row.current?.focus();
    const note = (): void => {
      hadFocus.current = row.current?.contains(document.activeElement) ?? false;
    };
    document.addEventListener('focusin', note);
    return () => {
      document.removeEventListener('focusin', note);
    };
  }, [row, state]);
}
