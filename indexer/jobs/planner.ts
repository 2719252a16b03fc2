import { messageOf, PlatformError } from '../../platform/errors.ts';
import type { Logger } from '../../platform/logger.ts';
import type { Database } from '../../store/database.ts';
import { isDatabaseAway } from '../../store/database-away.ts';
import type { JobId } from '../../store/ids.ts';
import { failJob, queueJob, setPlan } from '../../store/job-control.ts';
import { findJob, type JobRecord } from '../../store/jobs.ts';
import { notifyWorkers, type WorkerPresence } from '../../store/worker-presence.ts';
import type { JobDefinition } from './define-job.ts';
import { isStop } from './failures.ts';

export interface PlannerOptions<Services> {
  readonly database: Database;
  readonly services: Services;
  readonly presence: Pick<WorkerPresence, 'startPlanning'>;
  readonly definitionOf: (job: JobRecord) => JobDefinition<Services>;
  /** Called when a plan is there: its items wait, and there is room for another. */
  readonly onPlanned: () => void;
  readonly logger: Logger;
}

/** Jobs that a worker plans at once: a source with millions of files takes minutes, and others needn't wait for it. */
const MAX_PLANS = 2;
/** How often a job's planning may fail for no known reason, within one worker. */
const PLAN_ATTEMPTS = 3;

/** Plans jobs beside everything else; each is planned by one worker of all. */
export class JobPlanner<Services> {
  readonly #options: PlannerOptions<Services>;
  readonly #failures = new Map<JobId, number>();
  /** Plans that this worker makes now. */
  readonly #planning = new Map<JobId, Promise<void>>();

  constructor(options: PlannerOptions<Services>) {
    this.#options = options;
  }

  /** Begins to plan them, as many as there is room for, unless other workers do. */
  async begin(jobs: readonly JobRecord[], signal: AbortSignal): Promise<void> {
    for (const job of jobs) {
      if (this.#planning.size >= MAX_PLANS) return;
      if (!this.#planning.has(job.id)) await this.#start(job, signal);
    }
  }

  /** Waits for those under way. They stop at their signal. */
  async settle(): Promise<void> {
    await Promise.all(this.#planning.values());
  }

  /** Ends a job that can't go on. */
  async fail(job: JobRecord, error: unknown): Promise<void> {
    try {
      await failJob(this.#options.database.pool, job.id, messageOf(error), new Date());
      this.#failures.delete(job.id); // it may be retried
    } catch (conflict) {
      if (!(conflict instanceof PlatformError)) throw conflict; // it is over already
    }
  }

  async #start(job: JobRecord, signal: AbortSignal): Promise<void> {
    const release = await this.#options.presence.startPlanning(job.id);
    if (release === null) return;
    const planning = this.#tryPlan(job, signal)
      .catch((error: unknown) => {
        this.#loggerOf(job).error({ err: error }, 'A job could not be planned.');
        return false;
      })
      .finally(release)
      .then((isPlanned) => {
        this.#planning.delete(job.id);
        if (isPlanned) this.#options.onPlanned();
      });
    this.#planning.set(job.id, planning);
  }

  /** Whether it worked. */
  async #tryPlan(job: JobRecord, signal: AbortSignal): Promise<boolean> {
    const { prisma } = this.#options.database;
    try {
      await this.#plan(job, signal);
      this.#failures.delete(job.id);
      return true;
    } catch (error) {
      if (isStop(error, signal)) return false;
      if ((await findJob(prisma, job.id))?.state !== 'PLANNED') {
        this.#loggerOf(job).info('A job was cancelled or deleted while it was planned.');
        return true;
      }
      if (isDatabaseAway(error)) throw error; // not the job's fault, and tried again
      await this.#count(job, error);
      return false;
    }
  }

  async #count(job: JobRecord, error: unknown): Promise<void> {
    const failures = (this.#failures.get(job.id) ?? 0) + 1;
    this.#failures.set(job.id, failures);
    this.#loggerOf(job).error({ err: error }, 'A job could not be planned.');
    const isHopeless = error instanceof PlatformError && !error.retryable;
    if (isHopeless || failures >= PLAN_ATTEMPTS) await this.fail(job, error);
  }

  async #plan(job: JobRecord, signal: AbortSignal): Promise<void> {
    const { database, services, definitionOf } = this.#options;
    const definition = definitionOf(job);
    const current = await findJob(database.prisma, job.id);
    if (current?.state !== 'PLANNED' || current.plan !== null) return; // others were quicker
    const work = { jobId: job.id, job, now: new Date(), signal, logger: this.#loggerOf(job) };
    const plan = await definition.plan(job, services, work);
    if (definition.isDryRun(job)) return setPlan(database.pool, job.id, plan);
    await queueJob(database.pool, job.id, plan);
    await notifyWorkers(database.pool);
  }

  #loggerOf({ id, kind }: JobRecord): Logger {
    return this.#options.logger.child({ job: id, kind });
  }
}
