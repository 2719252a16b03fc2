import { PlatformError } from '../../../platform/errors.ts';
import {
  cancelJob as cancel,
  pauseJob as pause,
  resumeJob as resume,
  retryFailedItems as retry,
} from '../../../store/job-control.ts';
import { getJob, type JobRecord } from '../../../store/jobs.ts';
import { notifyWorkers } from '../../../store/worker-presence.ts';
import { audit } from '../../audit.ts';
import { findVisibleJob } from '../../auth/visible.ts';
import type { Context, Services } from '../../context.ts';
import type { MutationResolvers } from '../../generated/resolvers.ts';
import { inField, payload } from '../user-errors.ts';

type JobMutation = NonNullable<MutationResolvers['pauseJob']>;

export const pauseJob: JobMutation = (_parent, { input }, context) =>
  changeJob('pauseJob', input.id, context, ({ id }, { database }) => pause(database.pool, id));

export const resumeJob: JobMutation = (_parent, { input }, context) =>
  changeJob('resumeJob', input.id, context, ({ id }, { database }) => resume(database.pool, id));

export const cancelJob: JobMutation = (_parent, { input }, context) =>
  changeJob('cancelJob', input.id, context, ({ id }, { database, now }) =>
    cancel(database.pool, id, now()),
  );

export const retryFailedItems: JobMutation = (_parent, { input }, context) =>
  changeJob('retryFailedItems', input.id, context, async ({ id }, { database }) => {
    await retry(database.pool, id);
  });

/** Finds the job, changes it, tells the workers, and gives it as it is then. */
function changeJob(
  action: string,
  nodeId: string,
  context: Context,
  change: (job: JobRecord, services: Services) => Promise<void>,
) {
  return payload<{ job: JobRecord }>({ job: null }, async () => {
    const { services } = context;
    const { pool, prisma } = services.database;
    const found = await inField('id', getVisibleJob(context, nodeId));
    await inField('id', change(found, services));
    await notifyWorkers(pool);
    await audit(context, { action, subject: found.id });
    return { job: await getJob(prisma, found.id) };
  });
}

async function getVisibleJob(context: Context, nodeId: string): Promise<JobRecord> {
  const job = await findVisibleJob(context, nodeId);
  if (job) return job;
  throw new PlatformError('NOT_FOUND', `There is no job "${nodeId.slice(0, 100)}".`);
}
