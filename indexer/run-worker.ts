import type { Logger } from '../platform/logger.ts';
import { JOB_KINDS, type JobServices } from './jobs/index.ts';
import { JobRunner } from './jobs/runner.ts';
import { Scheduler } from './schedule/scheduler.ts';

export interface WorkerOptions {
  readonly services: JobServices;
  readonly logger: Logger;
  /** Ends the worker: it gives back what it has. */
  readonly signal: AbortSignal;
}

/** A worker: does jobs, and is ready to be the one that starts those nobody asks for. */
export async function runWorker({ services, logger, signal }: WorkerOptions): Promise<void> {
  const { database } = services;
  const runner = new JobRunner({ kinds: JOB_KINDS, database, services, logger });
  const scheduler = new Scheduler({ database, logger });
  const ended = new AbortController();
  const scheduling = scheduler.run(AbortSignal.any([signal, ended.signal]));
  try {
    await runner.run(signal);
  } finally {
    ended.abort();
    await scheduling;
  }
}
