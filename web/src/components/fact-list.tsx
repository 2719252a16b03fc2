import type { ReactNode } from 'react';
import './fact-list.css';

export type Fact = readonly [name: string, value: ReactNode];

/** Names and values, one below the other. */
export function FactList({ facts }: { readonly facts: readonly Fact[] }): ReactNode {
  return (
    <dl className="facts">
      {facts.map(([name, value]) => (
        <div key={name} className="facts-row">
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
