import type { ReactNode } from 'react';
import { CheckList } from '../components/check-list.tsx';
import { FactList, type Fact } from '../components/fact-list.tsx';
import { formatCount } from './job-words.ts';
import { resultChecks } from './result-checks.ts';

/** What came of a job, whatever its kind writes: its checks, and every other leaf of the JSON with its name. */
export function ResultFacts({ result }: { readonly result: unknown }): ReactNode {
  const checks = resultChecks(result);
  const facts = Object.entries(asObject(result))
    .filter(([name]) => name !== 'checks' || checks.length === 0)
    .flatMap(([name, value]) => factsOf(name, value));
  return (
    <>
      {checks.length === 0 ? null : <CheckList checks={checks} />}
      {facts.length === 0 ? null : <FactList facts={facts} />}
    </>
  );
}

function factsOf(name: string, value: unknown): readonly Fact[] {
  if (Array.isArray(value)) {
    return value.flatMap((member: unknown, i) => {
      const { name: own = `${i + 1}`, ...others } = asObject(member);
      return [[`${title(name)}, ${String(own)}`, line(others)] as const];
    });
  }
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).map(([key, inner]) => [
      `${title(name)}, ${words(key)}`,
      typeof inner === 'object' ? line(asObject(inner)) : leaf(inner),
    ]);
  }
  return [[title(name), leaf(value)]];
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

/** `isSound` → `Is sound`. */
function title(name: string): string {
  return name.charAt(0).toUpperCase() + words(name.slice(1));
}

function words(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
