import { setMaxListeners } from 'node:events';
import { DatabaseError } from 'pg';
import {
  messageOf,
  PlatformError,
  systemErrorCode,
  throwIfAborted,
} from '../../platform/errors.ts';
import type { Logger } from '../../platform/logger.ts';
import type { Database } from '../../store/database.ts';
import type { JobId } from '../../store/ids.ts';
import { isDatabaseAway } from '../../store/database-away.ts';
import { failJob, finishJob, queueJob, setPlan } from '../../store/job-control.ts';
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
  type Outcome,
} from '../../store/job-items.ts';
import { findJob, listJobsToPlan, listOpenJobs, type JobRecord } from '../../store/jobs.ts';
import { hasOpenItems } from '../../store/ledger.ts';
import { inTransaction } from '../../store/transaction.ts';
import { notifyWorkers, WorkerPresence } from '../../store/worker-presence.ts';
import type { Commit, JobDefinition, Work } from './define-job.ts';
import { Alarm } from './alarm.ts';

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
const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 60_000;
/** Jobs that a worker plans at once: a source with millions of files takes minutes, and others needn't wait for it. */
const MAX_PLANS = 2;
/** How often a job's planning may fail for no known reason, within one worker. */
const PLAN_ATTEMPTS = 3;

/**
 * Works on jobs until told to stop. Any number of runners, in any number of processes, may share a database: a job is
 * planned by one, its items are claimed in batches, and each item takes effect once. Jobs take turns, so that a small one
 * isn't held up by a large one.
 */
export class JobRunner<Services> {
  readonly #options: RunnerOptions<Services> & typeof DEFAULTS;
  readonly #presence: WorkerPresence;
  readonly #alarm = new Alarm();
  readonly #planFailures = new Map<JobId, number>();
  /** Plans that this worker makes now. */
  readonly #planning = new Map<JobId, Promise<void>>();
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
      await Promise.all(this.#planning.values()); // they stop at the signal, too
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
    for (const job of (await listJobsToPlan(prisma, kinds)).filter(isOurs)) {
      if (this.#planning.size >= MAX_PLANS) break;
      if (!this.#planning.has(job.id)) await this.#startPlan(job, signal);
    }
    for (const job of (await listOpenJobs(prisma, kinds)).filter(isOurs)) {
      const ask = { now: new Date(), living: this.#presence.locks };
      const isTold = !this.#presence.isJustBack;
      if (isTold && (await returnItemsOfDeadWorkers(pool, job.id, ask)) > 0) this.#alarm.ring();
      await this.#finish(job);
    }
    const job = only === null ? null : await findJob(prisma, only);
    return only !== null && (job === null || isResting(job));
  }

  /** Plans a job beside everything else, unless another worker does. */
  async #startPlan(job: JobRecord, signal: AbortSignal): Promise<void> {
    const release = await this.#presence.startPlanning(job.id);
    if (release === null) return;
    const planning = this.#tryPlan(job, signal)
      .catch((error: unknown) => {
        this.#loggerOf(job).error({ err: error }, 'A job could not be planned.');
        return false;
      })
      .finally(release)
      .then((isPlanned) => {
        this.#planning.delete(job.id);
        if (isPlanned) this.#alarm.ring(); // there is room for another
      });
    this.#planning.set(job.id, planning);
  }

  /** Whether it worked. */
  async #tryPlan(job: JobRecord, signal: AbortSignal): Promise<boolean> {
    const { database, logger } = this.#options;
    try {
      await this.#plan(job, signal);
      this.#planFailures.delete(job.id);
      return true;
    } catch (error) {
      if (isStop(error, signal)) return false;
      if ((await findJob(database.prisma, job.id))?.state !== 'PLANNED') {
        this.#loggerOf(job).info('A job was cancelled or deleted while it was planned.');
        return true;
      }
      if (isDatabaseAway(error)) throw error; // not the job's fault, and tried again
      const failures = (this.#planFailures.get(job.id) ?? 0) + 1;
      this.#planFailures.set(job.id, failures);
      logger.error({ err: error, job: job.id }, 'A job could not be planned.');
      const isHopeless = error instanceof PlatformError && !error.retryable;
      if (isHopeless || failures >= PLAN_ATTEMPTS) await this.#failJob(job, error);
      return false;
    }
  }

  async #plan(job: JobRecord, signal: AbortSignal): Promise<void> {
    const { database, services } = this.#options;
    const definition = this.#definition(job);
    const current = await findJob(database.prisma, job.id);
    if (current?.state !== 'PLANNED' || current.plan !== null) return; // others were quicker
    const work = { jobId: job.id, job, now: new Date(), signal, logger: this.#loggerOf(job) };
    const plan = await definition.plan(job, services, work);
    if (definition.isDryRun(job)) return setPlan(database.pool, job.id, plan);
    await queueJob(database.pool, job.id, plan);
    await notifyWorkers(database.pool);
  }

  async #finish(job: JobRecord): Promise<void> {
    const { database, services } = this.#options;
    if (await hasOpenItems(database.pool, job.id)) return;
    const result = await this.#definition(job).summarize(job, services);
    await finishJob(database.pool, job.id, { result, now: new Date() });
  }

  async #failJob(job: JobRecord, error: unknown): Promise<void> {
    try {
      await failJob(this.#options.database.pool, job.id, messageOf(error), new Date());
      this.#planFailures.delete(job.id); // it may be retried
    } catch (conflict) {
      if (!(conflict instanceof PlatformError)) throw conflict; // it is over already
    }
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
    if (error instanceof PlatformError && isHopeless(error)) await this.#failJob(job, error);
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

function isConflict(error: unknown): boolean {
  return error instanceof PlatformError && error.code === 'CONFLICT';
}

function isStop(error: unknown, signal: AbortSignal): boolean {
  return signal.aborted || (error instanceof PlatformError && error.code === 'ABORTED');
}

/** No item will fare better than another: settings, models, what others hold, the database. */
function isOfTheBatch(error: unknown): boolean {
  if (error instanceof PlatformError)
    return error.retryable || isConflict(error) || isHopeless(error);
  return error instanceof DatabaseError || systemErrorCode(error) !== null || isDatabaseAway(error);
}

/** Until somebody changes the settings. */
function isHopeless({ code }: PlatformError): boolean {
  return ['MODEL_MISMATCH', 'INVALID_BUNDLE', 'INVALID_CONFIG'].includes(code);
}

/** Not at once; FAILED with the last try. What can't succeed isn't tried again. */
function retryLater({ items }: Claim, error: unknown): Commit {
  const message = messageOf(error);
  const isFinal = error instanceof PlatformError && !error.retryable && error.code !== 'ABORTED';
  const outcome = ({ attempt }: ClaimedItem): Outcome => {
    const reasonCode = error instanceof PlatformError ? error.code : 'INTERNAL_ERROR';
    if (isFinal) return { kind: 'failed', reasonCode, message };
    const delay = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** (attempt - 1));
    return { kind: 'retry', reasonCode, message, notBefore: new Date(Date.now() + delay) };
  };
  return () => Promise.resolve(new Map(items.map((item) => [item.id, outcome(item)])));
}
