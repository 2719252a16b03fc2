import { JOB_KINDS, type JobServices } from '../indexer/jobs/index.ts';
import { JobRunner } from '../indexer/jobs/runner.ts';
import { createLogger } from '../platform/logger.ts';
import type { JobId } from '../store/ids.ts';
import { countItems } from '../store/job-progress.ts';
import { findJob, type JobRecord } from '../store/jobs.ts';
import type { CommandContext } from './program.ts';
import type { Progress } from './progress.ts';

const PROGRESS_MS = 300;

export interface ShownWork extends Pick<CommandContext, 'signal'> {
  readonly progress: Progress;
  /** What the bar says. */
  readonly label: string;
}

/** Works on the job in this process; a server that runs may take batches too. */
export async function workOnJob(
  id: JobId,
  services: JobServices,
  { progress, label, signal }: ShownWork,
): Promise<JobRecord> {
  const { database } = services;
  const logger = createLogger({ level: 'warn' });
  const runner = new JobRunner({ kinds: JOB_KINDS, database, services, logger });
  const show = async (): Promise<void> => {
    const job = await findJob(database.prisma, id);
    if (job === null || job.state === 'PLANNED') return;
    const { total, open } = await countItems(database.pool, id);
    if (total > 0 && open > 0) progress.update(label, total - open, total);
  };
  let isShowing = false;
  const timer = setInterval(() => {
    if (isShowing) return;
    isShowing = true;
    void show()
      .catch(() => undefined)
      .finally(() => (isShowing = false));
  }, PROGRESS_MS);
  try {
    return await runner.runJob(id, signal);
  } finally {
    clearInterval(timer);
  }
}
