import { PlatformError } from '../platform/errors.ts';
import type { PrismaClient } from './database.ts';
import { Prisma, type Job, type JobKind, type JobState } from './generated/prisma/client.ts';
import { asCollectionId, asJobId, isUuid, type CollectionId, type JobId } from './ids.ts';
import { isUniqueViolation } from './prisma-errors.ts';

export type { JobKind, JobState };

/**
 * PLANNED (items are added) → QUEUED (may be claimed) → RUNNING → SUCCEEDED or FAILED.
 * PAUSED and back from QUEUED and RUNNING; CANCELLED from everything that isn't over; from the end back to QUEUED by
 * retrying what failed, or to PLANNED where planning failed. What happens to the items is in job-items.ts and job-control.ts.
 */
export interface JobRecord {
  readonly id: JobId;
  readonly kind: JobKind;
  readonly state: JobState;
  readonly collectionId: CollectionId | null;
  readonly input: unknown;
  readonly plan: unknown;
  readonly result: unknown;
  readonly maxAttempts: number;
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
}

/** Nothing comes of it any more, unless somebody retries what failed. */
export function isOver({ state }: Pick<JobRecord, 'state'>): boolean {
  return state === 'SUCCEEDED' || state === 'FAILED' || state === 'CANCELLED';
}

export interface NewJob {
  readonly kind: JobKind;
  readonly collectionId: CollectionId | null;
  readonly input: Prisma.InputJsonObject;
  readonly plan?: Prisma.InputJsonObject;
  /** Tries of one item. Default 3. */
  readonly maxAttempts?: number;
  /** Asking again with the same key gives the first job, whatever else is asked. */
  readonly idempotencyKey?: string | null;
  /** Prefix of the API key, "command line", "schedule" or "watcher". */
  readonly createdBy: string;
  readonly now: Date;
}

/** Makes a PLANNED job: add its items, then queue it. */
export async function createJob(
  prisma: PrismaClient,
  { now, idempotencyKey = null, ...job }: NewJob,
): Promise<JobRecord> {
  try {
    return toRecord(await prisma.job.create({ data: { ...job, idempotencyKey, createdAt: now } }));
  } catch (error) {
    if (idempotencyKey === null || !isUniqueViolation(error)) throw error;
    const where = { createdBy_idempotencyKey: { createdBy: job.createdBy, idempotencyKey } };
    const found = toRecord(await prisma.job.findUniqueOrThrow({ where }));
    if (found.kind === job.kind) return found;
    const message = `The idempotency key belongs to a ${found.kind} job: take another one.`;
    throw new PlatformError('CONFLICT', message);
  }
}

export async function findJob(prisma: PrismaClient, id: string): Promise<JobRecord | null> {
  if (!isUuid(id)) return null;
  const row = await prisma.job.findUnique({ where: { id } });
  return row && toRecord(row);
}

/** In no particular order; those that aren't there are left out. */
export async function findJobsByIds(
  prisma: PrismaClient,
  ids: readonly JobId[],
): Promise<readonly JobRecord[]> {
  return (await prisma.job.findMany({ where: { id: { in: [...ids] } } })).map(toRecord);
}

/** What was asked for with this key before. */
export async function findJobByKey(
  prisma: PrismaClient,
  key: { readonly createdBy: string; readonly idempotencyKey: string },
): Promise<JobRecord | null> {
  const row = await prisma.job.findUnique({ where: { createdBy_idempotencyKey: key } });
  return row && toRecord(row);
}

export async function getJob(prisma: PrismaClient, id: JobId): Promise<JobRecord> {
  const job = await findJob(prisma, id);
  if (job) return job;
  throw new PlatformError('NOT_FOUND', `There is no job ${id}.`);
}

export interface JobFilter {
  readonly collectionId: CollectionId | null;
  /** Only of these collections; null: all, and jobs of none. */
  readonly among?: readonly CollectionId[] | null;
  readonly state: JobState | null;
}

export interface JobPage extends JobFilter {
  /** Jobs older than this one. */
  readonly after: JobId | null;
  readonly limit: number;
}

/** Newest first. */
export async function listJobs(
  prisma: PrismaClient,
  { after, limit, ...filter }: JobPage,
): Promise<readonly JobRecord[]> {
  const rows = await prisma.job.findMany({
    where: whereOf(filter),
    orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
    ...(after === null ? {} : { cursor: { id: after }, skip: 1 }),
    take: limit,
  });
  return rows.map(toRecord);
}

export function countJobs(prisma: PrismaClient, filter: JobFilter): Promise<number> {
  return prisma.job.count({ where: whereOf(filter) });
}

function whereOf({ collectionId, among = null, state }: JobFilter): Prisma.JobWhereInput {
  return {
    AND: [
      collectionId === null ? {} : { collectionId },
      among === null ? {} : { collectionId: { in: [...among] } },
      state === null ? {} : { state },
    ],
  };
}

/** Jobs that a worker may have something to do for, oldest first. */
export async function listOpenJobs(
  prisma: PrismaClient,
  kinds: readonly JobKind[],
): Promise<readonly JobRecord[]> {
  const rows = await prisma.job.findMany({
    where: { state: { in: ['QUEUED', 'RUNNING'] }, kind: { in: [...kinds] } },
    orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
  });
  return rows.map(toRecord);
}

/** Jobs whose items are still to be found, oldest first. A dry run that has its plan is none. */
export async function listJobsToPlan(
  prisma: PrismaClient,
  kinds: readonly JobKind[],
): Promise<readonly JobRecord[]> {
  const rows = await prisma.job.findMany({
    where: { state: 'PLANNED', plan: { equals: Prisma.DbNull }, kind: { in: [...kinds] } },
    orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
  });
  return rows.map(toRecord);
}

/** Jobs of a collection that aren't over, oldest first: also those that are planned, or paused by a person. */
export async function listUnfinishedJobs(
  prisma: PrismaClient,
  kind: JobKind,
  collectionId: CollectionId,
): Promise<readonly JobRecord[]> {
  const rows = await prisma.job.findMany({
    where: { kind, collectionId, state: { in: ['PLANNED', 'QUEUED', 'RUNNING', 'PAUSED'] } },
    orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
  });
  return rows.map(toRecord);
}

function toRecord(row: Job): JobRecord {
  const { kind, state, collectionId, input, plan, result, maxAttempts, createdBy } = row;
  const { createdAt, startedAt, finishedAt } = row;
  return {
    ...{ id: asJobId(row.id), kind, state, input, plan, result, maxAttempts, createdBy },
    ...{ createdAt, startedAt, finishedAt },
    collectionId: collectionId === null ? null : asCollectionId(collectionId),
  };
}
