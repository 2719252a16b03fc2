import { delay } from '../delay.ts';
import type { JobFactsFragment } from '../generated/operations.ts';
import type { PageClient } from '../graphql/client-context.ts';
import { ClientError } from '../graphql/client.ts';
import { FOLLOW_JOB, JOB_STATE } from '../graphql/job-operations.ts';
import { isSettled } from './job-words.ts';

const POLL_MS = 2000;
/** So often it is asked for before the subscription is tried again: a minute. */
const POLLS = 30;

/**
 * The job whenever it changed, until it is settled or gone. It is told by subscription; where that can't be had (some proxies let no
 * WebSocket through), it is asked for. Throws when `signal` aborts.
 */
export async function* followJob(
  client: PageClient,
  id: string,
  signal: AbortSignal,
): AsyncGenerator<JobFactsFragment, void, void> {
  for (;;) {
    for await (const job of listen(client, id, signal)) {
      yield job;
      if (isSettled(job)) return;
    }
    signal.throwIfAborted();
    for (let i = 0; i < POLLS; i++) {
      const job = await ask(client, id, signal);
      if (job === null) return;
      if (job !== 'later') yield job;
      if (job !== 'later' && isSettled(job)) return;
      await delay(POLL_MS, signal);
    }
  }
}

/** Ends, without a complaint, when the subscription does: asking shows what is wrong. */
async function* listen(
  client: PageClient,
  id: string,
  signal: AbortSignal,
): AsyncGenerator<JobFactsFragment, void, void> {
  try {
    for await (const { jobProgress } of client.subscribe(FOLLOW_JOB, { id }, signal)) {
      yield jobProgress;
    }
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
  }
}

async function ask(
  client: PageClient,
  id: string,
  signal: AbortSignal,
): Promise<JobFactsFragment | null | 'later'> {
  try {
    return (await client.execute(JOB_STATE, { id }, { signal })).job;
  } catch (error) {
    if (error instanceof ClientError && error.isTemporary) return 'later';
    throw error;
  }
}
