import type { ReactNode } from 'react';
import { FactList, type Fact } from '../components/fact-list.tsx';
import { formatCount } from './job-words.ts';

/** What came of a job, whatever its kind writes: every leaf of the JSON with its name. */
export function ResultFacts({ result }: { readonly result: unknown }): ReactNode {
  const facts = Object.entries(asObject(result)).flatMap(([name, value]) => factsOf(name, value));
  return facts.length === 0 ? null : <FactList facts={facts} />;
}

function factsOf(name: string, value: unknown): readonly Fact[] {
  if (Array.isArray(value)) {
    return value.flatMap((member: unknown, i) => {
      const { name: own = `${i + 1}`, ...others } = asObject(member);
      return [[`${words(name)}, ${String(own)}`, line(others)] as const];
    });
  }
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).map(([key, inner]) => [
      `${words(name)}, ${words(key)}`,
      typeof inner === 'object' ? line(asObject(inner)) : leaf(inner),
    ]);
  }
  return [[words(name), leaf(value)]];
}

function line(members: Readonly<Record<string, unknown>>): string {
  return Object.entries(members)
    .map(([key, value]) => `${words(key)} ${leaf(value)}`)
    .join(', ');
}

function leaf(value: unknown): string {
  if (typeof value === 'number') return formatCount(value);
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** `isSound` → `is sound`. */
function words(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
