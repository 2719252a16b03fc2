import { useEffect, useRef, useState } from 'react';
import { useClient } from '../graphql/client-context.ts';
import { compareQuery, type QueryComparison, type Side } from './comparison.ts';

export interface Comparison {
  readonly isRunning: boolean;
  /** In the queries' order, as far as they are answered. */
  readonly answers: readonly QueryComparison[];
}

export interface ComparisonQuestion {
  readonly collection: string;
  readonly queries: readonly string[];
  /** The left and the right one. */
  readonly sides: readonly [Side, Side];
}

/** Null before the first question; a new one drops the one before. */
export function useComparison(): readonly [
  Comparison | null,
  (question: ComparisonQuestion) => void,
] {
  const client = useClient();
  const [comparison, setComparison] = useState<Comparison | null>(null);
  const inFlight = useRef<AbortController>(null);
  useEffect(
    () => () => {
      inFlight.current?.abort();
    },
    [],
  );

  async function compare({ queries, ...rest }: ComparisonQuestion): Promise<void> {
    inFlight.current?.abort();
    const { signal } = (inFlight.current = new AbortController());
    const answers: QueryComparison[] = [];
    setComparison({ isRunning: true, answers: [] });
    // One after the other: the API's allowance is for all that this key does.
    for (const query of queries) {
      const answer = await compareQuery(client, { ...rest, query }, signal);
      if (signal.aborted) return;
      answers.push(answer);
      setComparison({ isRunning: answers.length < queries.length, answers: [...answers] });
    }
  }

  return [
    comparison,
    (question) => {
      void compare(question);
    },
  ];
}
