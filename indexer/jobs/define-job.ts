import type { z } from 'zod';
import { PlatformError } from '../../platform/errors.ts';
import type { Logger } from '../../platform/logger.ts';
import type { JobId } from '../../store/ids.ts';
import type { ClaimedItem, Outcome } from '../../store/job-items.ts';
import type { JobKind, JobRecord } from '../../store/jobs.ts';
import type { Queryable } from '../../store/transaction.ts';

/** Stores what came of a batch, in the runner's transaction. Items without an outcome are given back. */
export type Commit = (client: Queryable) => Promise<ReadonlyMap<bigint, Outcome>>;

export interface Work {
  readonly jobId: JobId;
  /** As it was when the work was claimed. */
  readonly job: JobRecord;
  readonly now: Date;
  /** Fires when the worker is to stop, or lost the batch. */
  readonly signal: AbortSignal;
  readonly logger: Logger;
}

/**
 * A kind of job: its input, its plan, what happens to a batch of its items. The runner owns claiming, leases, retries and
 * the transaction.
 */
export interface JobKindSpecification<Input, Services> {
  readonly kind: JobKind;
  /** Parsed when a job is created, and again when it runs. */
  readonly input: z.ZodType<Input>;
  /** Items of one batch: what a kill costs at most. */
  readonly batchSize: number;
  /** Jobs of a higher one are looked at first. From 0, the default. */
  readonly priority?: number;
  /** How many of a worker's lanes it may take at once. Default: all but one, so that nothing keeps the others waiting. */
  readonly lanes?: number;
  /** Whether the job ends with its plan. */
  isDryRun(input: Input): boolean;
  /** Adds the items and says what they come to. Called again where it broke off. */
  plan(input: Input, services: Services, work: Work): Promise<object>;
  /** Does what can be done without the database's locks, and gives what is to be stored. Doing it twice changes nothing. */
  run(input: Input, items: readonly ClaimedItem[], services: Services, work: Work): Promise<Commit>;
  /** The job's result, from its ledger alone, so that it survives restarts. */
  summarize(input: Input, services: Services, jobId: JobId): Promise<object>;
}

/** A kind whose input is parsed by itself: what the runner works with. */
export interface JobDefinition<Services> {
  readonly kind: JobKind;
  readonly batchSize: number;
  readonly priority: number;
  /** Null: all of a worker's lanes but one. */
  readonly lanes: number | null;
  isDryRun(job: JobRecord): boolean;
  plan(job: JobRecord, services: Services, work: Work): Promise<object>;
  run(
    job: JobRecord,
    items: readonly ClaimedItem[],
    services: Services,
    work: Work,
  ): Promise<Commit>;
  summarize(job: JobRecord, services: Services): Promise<object>;
}

export function defineJob<Input, Services>(
  specification: JobKindSpecification<Input, Services>,
): JobDefinition<Services> {
  const { kind, batchSize, priority = 0, lanes = null, input } = specification;
  const parse = (job: JobRecord): Input => {
    const parsed = input.safeParse(job.input);
    if (parsed.success) return parsed.data;
    const reason = `The job's input isn't one of this version's ${kind} jobs.`;
    throw new PlatformError('BAD_USER_INPUT', reason, { cause: parsed.error });
  };
  return {
    ...{ kind, batchSize, priority, lanes },
    isDryRun: (job) => specification.isDryRun(parse(job)),
    plan: (job, services, work) => specification.plan(parse(job), services, work),
    run: (job, items, services, work) => specification.run(parse(job), items, services, work),
    summarize: (job, services) => specification.summarize(parse(job), services, job.id),
  };
}
