import { setTimeout as pause } from 'node:timers/promises';
import { PlatformError } from '../../../platform/errors.ts';
import { isKeyInForce } from '../../../store/api-keys.ts';
import { countItems } from '../../../store/job-progress.ts';
import { findJob, type JobRecord } from '../../../store/jobs.ts';
import { unauthenticated } from '../../auth/authenticate.ts';
import { findVisibleJob } from '../../auth/visible.ts';
import { freshen, type Context } from '../../context.ts';
import type { SubscriptionResolvers } from '../../generated/resolvers.ts';

const LOOK_EVERY_MS = 500;
/** How often it is asked whether the key is still in force. */
const KEY_EVERY_MS = 15_000;
const OVER: ReadonlySet<string> = new Set(['SUCCEEDED', 'FAILED', 'CANCELLED']);

export const jobProgress: NonNullable<SubscriptionResolvers['jobProgress']> = {
  subscribe: async (_parent, { id }, context) => {
    const job = await findVisibleJob(context, id);
    if (job) return endable((stop) => followJob(job, context, stop), context.signal);
    throw new PlatformError('NOT_FOUND', `There is no job "${id.slice(0, 100)}".`);
  },
};

/**
 * A generator that `return` ends at once: by itself that takes effect at its next `yield` only, and a job that stands still
 * never gets there.
 */
function endable<T>(
  create: (stop: AbortSignal) => AsyncGenerator<T, void>,
  outer: AbortSignal,
): AsyncIterableIterator<T, void> {
  const stop = new AbortController();
  const events = create(AbortSignal.any([outer, stop.signal]));
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next: () => events.next(),
    return: () => {
      stop.abort();
      return events.return();
    },
  };
}

/** The job whenever it or its counts changed. */
async function* followJob(
  first: JobRecord,
  context: Context,
  stop: AbortSignal,
): AsyncGenerator<{ readonly jobProgress: JobRecord }, void> {
  const { pool, prisma } = context.services.database;
  let job: JobRecord | null = first;
  let shown = '';
  let keySeenAt = performance.now();
  while (job !== null && !stop.aborted) {
    if (performance.now() - keySeenAt > KEY_EVERY_MS) {
      if (!(await isKeyInForce(prisma, context.viewer.id))) {
        throw unauthenticated('This key was revoked.');
      }
      keySeenAt = performance.now();
    }
    const state = JSON.stringify([job, await countItems(pool, job.id)]);
    if (state !== shown) {
      shown = state;
      freshen(context);
      yield { jobProgress: job };
    }
    if (OVER.has(job.state)) return;
    await pause(LOOK_EVERY_MS, undefined, { signal: stop }).catch(() => undefined);
    job = await findJob(prisma, job.id);
  }
}
