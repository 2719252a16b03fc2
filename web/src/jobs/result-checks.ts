import type { CheckFactsFragment } from '../generated/operations.ts';

/** The checks that a result tells of, as REINDEX and VERIFY write them; empty where it tells of none, or in another way. */
export function resultChecks(result: unknown): readonly CheckFactsFragment[] {
  if (typeof result !== 'object' || result === null || !('checks' in result)) return [];
  const checks: readonly unknown[] = Array.isArray(result.checks) ? result.checks : [];
  return checks.flatMap((check) => {
    if (typeof check !== 'object' || check === null) return [];
    const { name, passed, isSound, detail }: Readonly<Record<string, unknown>> = { ...check };
    const verdict = passed ?? isSound;
    if (typeof name !== 'string' || typeof verdict !== 'boolean') return [];
    return [{ name, passed: verdict, detail: typeof detail === 'string' ? detail : '' }];
  });
}
