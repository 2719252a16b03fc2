import type { ReactNode } from 'react';
import { FactList, type Fact } from '../components/fact-list.tsx';
import { formatBytes } from '../components/file-size.ts';
import { formatDuration } from '../components/moment.tsx';
import type { JobFactsFragment } from '../generated/operations.ts';
import { formatCount } from './job-words.ts';

type Plan = NonNullable<JobFactsFragment['plan']>;

/** A plan in one line. */
export function PlanWords({ plan }: { readonly plan: Plan }): ReactNode {
  const counts = countsOf(plan).filter(([, count]) => count > 0);
  const costs = costsOf(plan);
  const parts = [
    ...counts.map(([name, count]) => `${formatCount(count)} ${name.toLowerCase()}`),
    ...costs.map(([name, value]) => `${name.toLowerCase()} ${value}`),
  ];
  return (
    <p className="job-card-origin">
      Plan: {parts.length === 0 ? 'there is nothing to do' : parts.join(', ')}
    </p>
  );
}

/** A plan as a list. A number that is 0 says nothing: kinds leave those at 0 that they don't know. */
export function PlanFacts({ plan }: { readonly plan: Plan }): ReactNode {
  const known = countsOf(plan).filter(([, count]) => count > 0);
  if (known.length === 0) return <p>There is nothing to do.</p>;
  const counts = known.map(([name, count]): Fact => [name, formatCount(count)]);
  return <FactList facts={[...counts, ...costsOf(plan)]} />;
}

function countsOf(plan: Plan): readonly (readonly [string, number])[] {
  return [
    ['Files', plan.files],
    ['To read', plan.toRead],
    ['To embed', plan.toEmbed],
    ['Reused', plan.reused],
    ['Unchanged', plan.unchanged],
    ['Vanished', plan.vanished],
    ['To remove', plan.toRemove],
  ];
}

function costsOf(plan: Plan): readonly (readonly [string, string])[] {
  return [
    ...(plan.bytesToRead > 0 ? [['Reads', formatBytes(plan.bytesToRead)] as const] : []),
    ...(plan.estimatedBytes > 0 ? [['Takes', formatBytes(plan.estimatedBytes)] as const] : []),
    ...(plan.estimatedSeconds === null
      ? []
      : [['About', formatDuration(plan.estimatedSeconds)] as const]),
  ];
}
