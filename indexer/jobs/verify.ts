import { z } from 'zod';
import { PlatformError } from '../../platform/errors.ts';
import type { Database } from '../../store/database.ts';
import { findGeneration } from '../../store/generations.ts';
import { asCollectionId, type CollectionId, type JobId } from '../../store/ids.ts';
import { addItems, listItems, type ClaimedItem, type Outcome } from '../../store/job-items.ts';
import { createJob, type JobRecord } from '../../store/jobs.ts';
import { notifyWorkers } from '../../store/worker-presence.ts';
import { listSteps, PARTS, verifyStep, type Check, type VerifyServices } from '../verify/verify.ts';
import { defineJob, type Work } from './define-job.ts';

const verifyInput = z.object({
  collectionId: z.uuid().transform(asCollectionId),
  sample: z.int().min(0).max(10_000),
});

type VerifyInput = z.output<typeof verifyInput>;

const verifyItem = z.object({ generationId: z.uuid(), part: z.enum(PARTS), path: z.string() });

export interface VerifyRequest {
  readonly collectionId: CollectionId;
  /** Images of each generation that are embedded again from their files. */
  readonly sample: number;
  readonly createdBy: string;
  readonly idempotencyKey: string | null;
  readonly now: Date;
}

/** Makes the job that checks a collection's invariants. */
export async function startVerify(
  { pool, prisma }: Database,
  { collectionId, sample, createdBy, idempotencyKey, now }: VerifyRequest,
): Promise<JobRecord> {
  const job = await createJob(prisma, {
    ...{ kind: 'VERIFY', collectionId, createdBy, idempotencyKey, now, maxAttempts: 1 },
    input: { collectionId, sample },
  });
  await notifyWorkers(pool);
  return job;
}

/** An item a generation and part of the checks; one that finds something is FAILED, and says what. */
export const verify = defineJob<VerifyInput, VerifyServices>({
  kind: 'VERIFY',
  input: verifyInput,
  batchSize: 1,
  lanes: 1,
  isDryRun: () => false,
  plan: async ({ collectionId }, { database }, { jobId }) => {
    const steps = await listSteps({ database }, collectionId);
    const items = steps.map(({ generation: { id, number }, part }) => {
      const path = `generation ${number}: ${part}`;
      return { key: path, payload: { generationId: id, part, path } };
    });
    await addItems(database.pool, jobId, items);
    return { files: items.length };
  },
  run: async ({ sample }, [item], services, { signal }) => {
    if (item === undefined) throw new Error('A batch of one has one item.');
    const outcome = await runStep(item, services, { sample, signal });
    return () => Promise.resolve(new Map([[item.id, outcome]]));
  },
  summarize: (_input, { database }, jobId) => summarize(database, jobId),
});

async function runStep(
  { payload }: ClaimedItem,
  services: VerifyServices,
  options: { readonly sample: number } & Pick<Work, 'signal'>,
): Promise<Outcome> {
  const { generationId, part } = verifyItem.parse(payload);
  const generation = await findGeneration(services.database.prisma, generationId);
  if (generation?.discardedAt !== null) return { kind: 'skipped', reasonCode: 'DISCARDED' };
  return outcomeOf(await verifyStep(services, { generation, part }, options));
}

const MOST_CHARACTERS = 4000;

function outcomeOf(checks: readonly Check[]): Outcome {
  const violations = checks.flatMap((check) => check.violations);
  const looked = checks.map((check) => `${check.name}: ${check.looked}`).join('; ');
  if (violations.length === 0) {
    return { kind: 'done', reasonCode: 'SOUND', message: `Looked at ${looked}.` };
  }
  const message = `${violations.length} wrong: ${violations.join('; ')}`.slice(0, MOST_CHARACTERS);
  return { kind: 'failed', reasonCode: 'VIOLATION', message };
}

async function summarize({ pool }: Database, jobId: JobId): Promise<object> {
  const page = { jobId, after: null, limit: 1000 };
  const items = [
    ...(await listItems(pool, { ...page, state: 'DONE' })),
    ...(await listItems(pool, { ...page, state: 'FAILED' })),
  ];
  const checks = items.map(({ key, state, message }) => ({
    ...{ name: key, isSound: state === 'DONE', detail: message },
  }));
  return { isSound: checks.every(({ isSound }) => isSound), checks };
}

/** Throws `BAD_USER_INPUT`. */
export function checkSampleSize(sample: number): number {
  if (Number.isInteger(sample) && sample >= 0 && sample <= 10_000) return sample;
  throw new PlatformError('BAD_USER_INPUT', '"sample" is a whole number from 0 to 10000.');
}
