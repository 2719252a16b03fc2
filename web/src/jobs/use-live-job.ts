import { useEffect, useState } from 'react';
import type { JobFactsFragment } from '../generated/operations.ts';
import { useClient } from '../graphql/client-context.ts';
import { ClientError } from '../graphql/client.ts';
import { followJob } from './follow-job.ts';
import { isSettled } from './job-words.ts';

/** A job as it was loaded and then as it goes on. The function takes what a mutation answered. */
export function useLiveJob(
  loaded: JobFactsFragment,
): readonly [JobFactsFragment, (job: JobFactsFragment) => void] {
  const client = useClient();
  const [latest, setLatest] = useState({ loaded, job: loaded });
  if (latest.loaded !== loaded) setLatest({ loaded, job: loaded }); // loaded anew: it has the last word
  const { job } = latest;
  const isMoving = !isSettled(job);

  useEffect(() => {
    if (!isMoving) return undefined;
    const abort = new AbortController();
    const follow = async (): Promise<void> => {
      for await (const next of followJob(client, job.id, abort.signal)) {
        if (!abort.signal.aborted) setLatest((before) => ({ ...before, job: next }));
      }
    };
    follow().catch((error: unknown) => {
      // What was last known stays on show; the page's own requests say what is wrong.
      if (!abort.signal.aborted && !(error instanceof ClientError)) throw error;
    });
    return () => {
      abort.abort();
    };
  }, [client, job.id, isMoving]);

  return [
    job,
    (next) => {
      setLatest((before) => ({ ...before, job: next }));
    },
  ];
}
