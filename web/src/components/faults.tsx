import type { ReactNode } from 'react';
import type { ActionFault } from '../graphql/use-action.ts';
import './faults.css';

/** What was wrong with something that somebody asked for, where they asked for it. */
export function Faults({ faults }: { readonly faults: readonly ActionFault[] }): ReactNode {
  if (faults.length === 0) return null;
  return (
    <div role="alert" className="faults">
      {faults.map(({ code, message }, i) => (
        <p key={i}>
          {message} <code>{code}</code>
        </p>
      ))}
    </div>
  );
}
