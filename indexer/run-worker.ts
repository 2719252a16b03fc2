import type { Logger } from '../platform/logger.ts';
import type { JobKind } from '../store/jobs.ts';
import { keepHouse } from './jobs/housekeeping.ts';
import { JOB_KINDS, type JobServices } from './jobs/index.ts';
import { JobRunner } from './jobs/runner.ts';
import { Scheduler } from './schedule/scheduler.ts';

export interface WorkerOptions {
  readonly services: JobServices;
  readonly logger: Logger;
  /** Default: all. */
  readonly kinds?: readonly JobKind[] | undefined;
  /** Ends the worker: it gives back what it has. */
  readonly signal: AbortSignal;
}

/**
 * A worker: does jobs, is ready to be the one that starts those nobody asks for, and deletes the rows of generations that were
 * given up.
 */
export async function runWorker({ services, logger, kinds, signal }: WorkerOptions): Promise<void> {
  const { database } = services;
  const chosen = JOB_KINDS.filter(({ kind }) => kinds?.includes(kind) ?? true);
  const runner = new JobRunner({ kinds: chosen, database, services, logger });
  const scheduler = new Scheduler({ database, logger });
  const ended = new AbortController();
  const stop = AbortSignal.any([signal, ended.signal]);
  const beside = [scheduler.run(stop), keepHouse({ database, logger }, stop)];
  try {
    await runner.run(signal);
  } finally {
    ended.abort();
    await Promise.all(beside);
  }
}
