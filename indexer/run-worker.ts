import type { Logger } from '../platform/logger.ts';
import type { JobKind } from '../store/jobs.ts';
import { keepHouse } from './jobs/housekeeping.ts';
import { JOB_KINDS, type JobServices } from './jobs/index.ts';
import { JobRunner } from './jobs/runner.ts';

export interface WorkerOptions {
  readonly services: JobServices;
  readonly logger: Logger;
  /** Default: all. */
  readonly kinds?: readonly JobKind[] | undefined;
}

/** All that a worker process does, until the signal fires. */
export async function runWorker(
  { services, logger, kinds }: WorkerOptions,
  signal: AbortSignal,
): Promise<void> {
  const { database } = services;
  const chosen = JOB_KINDS.filter(({ kind }) => kinds?.includes(kind) ?? true);
  const runner = new JobRunner({ kinds: chosen, database, services, logger });
  await Promise.all([runner.run(signal), keepHouse({ database, logger }, signal)]);
}
