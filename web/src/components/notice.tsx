import type { ReactNode } from 'react';
import './notice.css';

/** A few words in the place of pictures. */
export function Notice({
  title,
  children,
}: {
  readonly title: string;
  readonly children?: ReactNode;
}): ReactNode {
  return (
    <section className="notice">
      <h2 className="notice-title">{title}</h2>
      {children}
    </section>
  );
}

/** A command line to be copied. */
export function Code({ children }: { readonly children: ReactNode }): ReactNode {
  return <code className="notice-code">{children}</code>;
}
