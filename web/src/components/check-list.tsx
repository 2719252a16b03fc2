import type { ReactNode } from 'react';
import type { CheckFactsFragment } from '../generated/operations.ts';
import './check-list.css';

/** What was looked at in a generation, and whether it was right. */
export function CheckList({
  checks,
}: {
  readonly checks: readonly CheckFactsFragment[];
}): ReactNode {
  return (
    <ul className="checks" aria-label="Checks">
      {checks.map(({ name, passed, detail }) => (
        <li key={name} className="check" data-passed={passed}>
          <span className="check-mark">{passed ? '✓ Passed' : '✗ Failed'}</span>
          <span>
            <strong>{name}</strong> {detail}
          </span>
        </li>
      ))}
    </ul>
  );
}
