import type { ComponentProps, MouseEvent, ReactNode } from 'react';
import { navigate } from '../history.ts';

/** A link within the page. It is a real one: it opens in a new tab as any other does. */
export function Link({
  href,
  ...others
}: ComponentProps<'a'> & { readonly href: string }): ReactNode {
  function follow(event: MouseEvent): void {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) {
      return;
    }
    event.preventDefault();
    navigate(href);
  }

  return <a {...others} href={href} onClick={follow} />;
}
