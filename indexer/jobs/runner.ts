import { setMaxListeners } from 'node:events';
import { PlatformError, throwIfAborted } from '../../platform/errors.ts';
import type { Logger } from '../../platform/logger.ts';
import type { Database } from '../../store/database.ts';
import type { JobId } from '../../store/ids.ts';
import { isDatabaseAway } from '../../store/database-away.ts';
import { finishJob } from '../../store/job-control.ts';
import {
  claimItems,
  completeItems,
  extendLease,
  listClaimable,
  loseItems,
  releaseItems,
  returnItemsOfDeadWorkers,
  type Claim,
  type ClaimedItem,
} from '../../store/job-items.ts';
import { findJob, listJobsToPlan, listOpenJobs, type JobRecord } from '../../store/jobs.ts';
import { hasOpenItems } from '../../store/ledger.ts';
import { inTransaction } from '../../store/transaction.ts';
import { WorkerPresence } from '../../store/worker-presence.ts';
import type { Commit, JobDefinition, Work } from './define-job.ts';
import { Alarm } from './alarm.ts';
import { isConflict, isHopeless, isOfTheBatch, isStop, retryLater } from './failures.ts';
import { JobPlanner } from './planner.ts';

export interface RunnerOptions<Services> {
  readonly database: Database;
  readonly kinds: readonly JobDefinition<Services>[];
  readonly services: Services;
  readonly logger: Logger;
  /**
   * Batches under way at once. Default 4: one is decoded, one encoded, one committed, and one is left for jobs of another kind. More
   * costs memory and gains nothing on one machine.
   */
  readonly lanes?: number;
  /** Default 60 s; extended every third of it. Matters only when a worker hangs: of a dead one Postgres tells. */
  readonly leaseMs?: number;
  /** Longest time between two looks for work. Default 500 ms. */
  readonly pollMs?: number;
}

const DEFAULTS = { lanes: 4, leaseMs: 60_000, pollMs: 500 };

/**
 * Works on jobs until told to stop. Any number of runners, in any number of processes, may share a database: a job is
 * planned by one, its items are claimed in batches, and each item takes effect once. Jobs take turns, so that a small one
 * isn't held up by a large one.
 */
export class JobRunner<Services> {
  readonly #options: RunnerOptions<Services> & typeof DEFAULTS;
  readonly #presence: WorkerPresence;
  readonly #alarm = new Alarm();
  readonly #planner: JobPlanner<Services>;
  #lastJob: JobId | null = null;
  /** Lanes that work on a kind's batches now. */
  readonly #busyLanes = new Map<JobRecord['kind'], number>();

  constructor(options: RunnerOptions<Services>) {
    this.#options = { ...DEFAULTS, ...options };
    const { database, logger } = options;
    this.#presence = new WorkerPresence({
      createClient: () => database.createClient(),
      onJob: () => {
        this.#alarm.ring();
      },
      logger,
    });
    this.#planner = new JobPlanner({
      ...{ database, logger, services: options.services, presence: this.#presence },
      definitionOf: (job) => this.#definition(job),
      onPlanned: () => {
        this.#alarm.ring();
      },
    });
  }

  /** Works on whatever there is until the signal fires; then gives back what it has and resolves. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#workOn(null, signal);
  }

  /** Works on one job until it is over, or waits for a person: paused, or a dry run with its plan. */
  async runJob(id: JobId, signal: AbortSignal): Promise<JobRecord> {
    await this.#workOn(id, signal);
    const job = await findJob(this.#options.database.prisma, id);
    if (job === null) throw new PlatformError('NOT_FOUND', `The job ${id} was deleted.`);
    if (!isResting(job)) throwIfAborted(signal);
    return job;
  }

  async #workOn(only: JobId | null, signal: AbortSignal): Promise<void> {
    const ended = new AbortController();
    const stop = AbortSignal.any([signal, ended.signal]);
    const wake = (): void => {
      this.#alarm.ring();
    };
    stop.addEventListener('abort', wake);
    try {
      await this.#presence.connect();
      const overseer = this.#repeat(stop, async () => {
        const isOver = await this.#oversee(only, stop);
        if (isOver) ended.abort();
        return false;
      });
      const lanes = Array.from({ length: this.#options.lanes }, () =>
        this.#repeat(stop, () => this.#workOnBatch(only, stop)),
      );
      await Promise.all([overseer, ...lanes]);
    } finally {
      await this.#planner.settle();
      stop.removeEventListener('abort', wake);
      await this.#presence.close();
    }
  }

  /** Repeats a step; waits when there was nothing to do. Errors are the database's, mostly: they pass. */
  async #repeat(stop: AbortSignal, step: () => Promise<boolean>): Promise<void> {
    while (!stop.aborted) {
      const rings = this.#alarm.rings;
      let wasBusy = false;
      try {
        await this.#presence.connect();
        wasBusy = await step();
      } catch (error) {
        if (isStop(error, stop)) return;
        this.#options.logger.error({ err: error }, 'A worker stumbled; it goes on.');
      }
      if (!wasBusy) await this.#alarm.wait(rings, this.#options.pollMs, stop);
    }
  }

  /** Begins to plan what is to be planned, takes over from the dead, ends what is done. Whether the one job is over. */
  async #oversee(only: JobId | null, signal: AbortSignal): Promise<boolean> {
    const { database } = this.#options;
    const { prisma, pool } = database;
    const kinds = this.#kinds();
    const isOurs = ({ id }: JobRecord): boolean => only === null || id === only;
    await this.#planner.begin((await listJobsToPlan(prisma, kinds)).filter(isOurs), signal);
    for (const job of (await listOpenJobs(prisma, kinds)).filter(isOurs)) {
      const ask = { now: new Date(), living: this.#presence.locks };
      const isTold = !this.#presence.isJustBack;
      if (isTold && (await returnItemsOfDeadWorkers(pool, job.id, ask)) > 0) this.#alarm.ring();
      await this.#finish(job);
    }
    const job = only === null ? null : await findJob(prisma, only);
    return only !== null && (job === null || isResting(job));
  }

  async #finish(job: JobRecord): Promise<void> {
    const { database, services } = this.#options;
    if (await hasOpenItems(database.pool, job.id)) return;
    const result = await this.#definition(job).summarize(job, services);
    await finishJob(database.pool, job.id, { result, now: new Date() });
  }

  /** Whether there was a batch. */
  async #workOnBatch(only: JobId | null, stop: AbortSignal): Promise<boolean> {
    const found = await this.#claimNext(only, stop);
    if (found === null) return false;
    try {
      await this.#process(found.job, found.claim, stop);
    } finally {
      this.#takeLane(found.job, -1);
    }
    return true;
  }

  /** Of a kind's lanes one is taken before its items are asked for, so that two lanes can't both take the last. */
  #takeLane({ kind }: JobRecord, change: 1 | -1): void {
    this.#busyLanes.set(kind, (this.#busyLanes.get(kind) ?? 0) + change);
  }

  #hasLane(job: JobRecord): boolean {
    const { lanes } = this.#options;
    const most = this.#definition(job).lanes ?? Math.max(1, lanes - 1);
    return (this.#busyLanes.get(job.kind) ?? 0) < most;
  }

  async #claimNext(
    only: JobId | null,
    stop: AbortSignal,
  ): Promise<{ job: JobRecord; claim: Claim } | null> {
    const { database } = this.#options;
    const open = (await listOpenJobs(database.prisma, this.#kinds())).filter(
      ({ id }) => only === null || id === only,
    );
    const ids = open.map(({ id }) => id);
    const claimable = await listClaimable(database.pool, ids, new Date());
    for (const job of this.#inTurn(open)) {
      if (!claimable.has(job.id) || !this.#hasLane(job)) continue;
      this.#takeLane(job, 1);
      const claim = await this.#claim(job, stop).catch((error: unknown) => {
        this.#takeLane(job, -1);
        throw error;
      });
      if (claim !== null) {
        this.#lastJob = job.id;
        return { job, claim };
      }
      this.#takeLane(job, -1);
    }
    return null;
  }

  /** By the priority of their kinds; those of the same one take turns. */
  #inTurn(open: readonly JobRecord[]): readonly JobRecord[] {
    const turn = open.findIndex(({ id }) => id === this.#lastJob) + 1;
    const priorityOf = (job: JobRecord): number => this.#definition(job).priority;
    return [...open.slice(turn), ...open.slice(0, turn)].sort(
      (a, b) => priorityOf(b) - priorityOf(a),
    );
  }

  async #claim(job: JobRecord, stop: AbortSignal): Promise<Claim | null> {
    const { leaseMs, database } = this.#options;
    const limit = this.#definition(job).batchSize;
    const leaseToken = this.#presence.newLeaseToken();
    const options = { jobId: job.id, limit, leaseMs, leaseToken, now: new Date() };
    try {
      return await claimItems(database.pool, options);
    } catch (error) {
      // The claim may be stored all the same, and this worker lives: nobody else would give it back.
      if (isDatabaseAway(error)) await this.#lose({ jobId: job.id, leaseToken, items: [] }, stop);
      throw error;
    }
  }

  #lose(claim: Claim, stop: AbortSignal): Promise<void> {
    const { pool } = this.#options.database;
    return this.#whenBack(stop, () => loseItems(pool, claim, new Date()));
  }

  async #process(job: JobRecord, claim: Claim, stop: AbortSignal): Promise<void> {
    const ended = new AbortController();
    setMaxListeners(0, ended.signal); // every file of a batch listens
    const end = (): void => {
      ended.abort(stop.reason);
    };
    stop.addEventListener('abort', end);
    const extension = setInterval(() => {
      this.#extend(claim).catch((error: unknown) => {
        if (isConflict(error)) ended.abort(error); // else the next third of the lease tries again
      });
    }, this.#options.leaseMs / 3);
    try {
      throwIfAborted(stop);
      await this.#do(job, claim, ended.signal);
    } catch (error) {
      if (isConflict(ended.signal.reason) || isConflict(error)) {
        const reason = 'A batch was lost to another worker, or its job was cancelled.';
        this.#loggerOf(job).warn(reason);
      } else await this.#recover(job, claim, error, stop);
    } finally {
      clearInterval(extension);
      stop.removeEventListener('abort', end);
    }
  }

  #extend(claim: Claim): Promise<void> {
    const { database, leaseMs } = this.#options;
    return extendLease(database.pool, claim, new Date(Date.now() + leaseMs));
  }

  /** Runs a batch. When it fails as a whole, each item runs alone, so that one can't spoil the others. */
  async #do(job: JobRecord, claim: Claim, signal: AbortSignal): Promise<void> {
    try {
      const commit = await this.#run(job, claim.items, signal);
      await this.#complete(claim, commit, signal);
    } catch (error) {
      if (claim.items.length === 1 || isStop(error, signal) || isOfTheBatch(error)) throw error;
      this.#loggerOf(job).warn({ err: error }, 'A batch failed; its items are tried one by one.');
      for (const item of claim.items) await this.#doAlone(job, { ...claim, items: [item] }, signal);
    }
  }

  async #doAlone(job: JobRecord, claim: Claim, signal: AbortSignal): Promise<void> {
    try {
      await this.#complete(claim, await this.#run(job, claim.items, signal), signal);
    } catch (error) {
      if (isStop(error, signal) || isOfTheBatch(error)) throw error;
      await this.#complete(claim, retryLater(claim, error), signal);
    }
  }

  /** Does something with the database, again where that went away meanwhile: what a batch took to make isn't thrown away. */
  async #whenBack<T>(signal: AbortSignal, step: () => Promise<T>): Promise<T> {
    const end = performance.now() + this.#options.leaseMs;
    for (;;) {
      try {
        return await step();
      } catch (error) {
        const isOver = signal.aborted || performance.now() > end;
        if (!isDatabaseAway(error) || isOver) throw error;
        await this.#alarm.wait(this.#alarm.rings, this.#options.pollMs, signal);
      }
    }
  }

  #run(job: JobRecord, items: readonly ClaimedItem[], signal: AbortSignal): Promise<Commit> {
    const { services } = this.#options;
    const logger = this.#loggerOf(job);
    const work: Work = { jobId: job.id, job, now: new Date(), signal, logger };
    return this.#definition(job).run(job, items, services, work);
  }

  /** Results and item states in one transaction; items without an outcome go back. */
  async #complete(claim: Claim, commit: Commit, signal: AbortSignal): Promise<void> {
    const { pool } = this.#options.database;
    const outcomes = await this.#whenBack(signal, () =>
      inTransaction(pool, async (client) => {
        const stored = await commit(client);
        if (stored.size > 0) await completeItems(client, claim, stored, new Date());
        return stored;
      }),
    );
    if (outcomes.size > 0) this.#alarm.ring(); // the job may be over
    const rest = claim.items.filter(({ id }) => !outcomes.has(id));
    if (rest.length === 0) return;
    await this.#whenBack(signal, () => releaseItems(pool, { ...claim, items: rest }));
    if (outcomes.size === 0) await this.#alarm.wait(this.#alarm.rings, this.#options.pollMs);
  }

  async #recover(job: JobRecord, claim: Claim, error: unknown, stop: AbortSignal): Promise<void> {
    const { pool } = this.#options.database;
    if (stop.aborted) return releaseItems(pool, claim);
    if (isDatabaseAway(error)) {
      // No try is counted: it may be nobody's fault. As with workers that die, it may be that of the items all the same.
      this.#loggerOf(job).warn({ err: error }, 'The database went away under a batch.');
      return this.#lose(claim, stop);
    }
    this.#loggerOf(job).error({ err: error }, 'A batch failed.');
    if (error instanceof PlatformError && isHopeless(error)) await this.#planner.fail(job, error);
    else await this.#complete(claim, retryLater(claim, error), stop);
  }

  #kinds(): JobRecord['kind'][] {
    return this.#options.kinds.map(({ kind }) => kind);
  }

  #definition({ kind }: JobRecord): JobDefinition<Services> {
    const definition = this.#options.kinds.find((one) => one.kind === kind);
    if (definition === undefined) throw new Error(`This worker does no ${kind} jobs.`);
    return definition;
  }

  #loggerOf({ id, kind }: JobRecord): Logger {
    return this.#options.logger.child({ job: id, kind });
  }
}

/** Over, or waiting for a person. */
function isResting({ state, plan }: JobRecord): boolean {
  switch (state) {
    case 'SUCCEEDED':
    case 'FAILED':
    case 'CANCELLED':
    case 'PAUSED':
      return true;
    case 'PLANNED':
      return plan !== null;
    case 'QUEUED':
    case 'RUNNING':
      return false;
  }
}
