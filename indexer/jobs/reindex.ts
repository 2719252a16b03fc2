import { z } from 'zod';
import type { Models } from '../../models/loaded-models.ts';
import { PlatformError } from '../../platform/errors.ts';
import type { Database } from '../../store/database.ts';
import {
  findGeneration,
  type GenerationCheck,
  type GenerationRecord,
} from '../../store/generations.ts';
import { settleGeneration } from '../../store/generation-switch.ts';
import { asImageId, type JobId } from '../../store/ids.ts';
import { findJob, type JobRecord } from '../../store/jobs.ts';
import type { ClaimedItem, Outcome } from '../../store/job-items.ts';
import { countOutcomes, hasOpenItems } from '../../store/ledger.ts';
import { listVisionSpaces } from '../../store/model-registry.ts';
import type { ImageScope } from '../../store/reindex-items.ts';
import { checkGeneration, type CheckServices } from '../reindex/checks.ts';
import { commitReindex, DISCARDED } from '../reindex/commit-reindex.ts';
import { embedBatch, type EmbedServices } from '../reindex/embed-batch.ts';
import { planReindex } from '../reindex/plan-reindex.ts';
import { reindexInput, type ReindexInput } from '../reindex/reindex-input.ts';
import { reindexItem, type ReindexItem, type ReindexOutcome } from '../reindex/reindex-item.ts';
import { findVisionModel } from '../targets.ts';
import { defineJob, type Commit, type Work } from './define-job.ts';

export interface ReindexServices extends EmbedServices, CheckServices {
  readonly models: Models & CheckServices['models'];
}

/** What later steps need of the plan; the rest is for people. */
const madePlan = z.object({ generationId: z.uuid(), again: z.boolean() });

/** Photos of a batch: some hundred milliseconds of work, what a kill costs at most. */
const BATCH_SIZE = 32;

/**
 * Embeds a collection's images for one generation. Its last item waits for all others and checks the generation, which then is
 * READY or FAILED. Doing an item twice changes nothing.
 */
export const reindex = defineJob<ReindexInput, ReindexServices>({
  kind: 'REINDEX',
  input: reindexInput,
  batchSize: BATCH_SIZE,
  isDryRun: ({ dryRun }) => dryRun,
  plan: async (input, services, { jobId }) => {
    const { collectionId, visionSpaceId, dryRun } = input;
    const { dimensions } = await getVision(services, input);
    const scope = scopeOf(input);
    return planReindex(services.database, {
      ...{ jobId, collectionId, visionSpaceId, dimensions, scope, dryRun },
    });
  },
  run,
  summarize: (_input, services, jobId) => summarize(services, jobId),
});

function scopeOf({ scope, imageIds }: ReindexInput): ImageScope {
  switch (scope) {
    case 'ALL':
      return { kind: 'all' };
    case 'FAILED':
      return { kind: 'missing' };
    case 'IMAGES':
      return { kind: 'chosen', ids: (imageIds ?? []).map(asImageId) };
  }
}

async function getVision({ database, models }: ReindexServices, { visionSpaceId }: ReindexInput) {
  const spaces = await listVisionSpaces(database.prisma);
  const vision = await findVisionModel(models, spaces, visionSpaceId);
  if (vision) return vision;
  const name = spaces.find(({ id }) => id === visionSpaceId)?.name ?? visionSpaceId;
  const message = `No model bundle here embeds into the vision space ${name}: name it (MODEL_BUNDLE), or put it into BUNDLES_DIR.`;
  throw new PlatformError('MODEL_MISMATCH', message);
}

async function run(
  input: ReindexInput,
  items: readonly ClaimedItem[],
  services: ReindexServices,
  work: Work,
): Promise<Commit> {
  const parsed = items.map((item) => ({ item, task: reindexItem.parse(item.payload) }));
  const images = parsed.flatMap(({ item, task }) =>
    task.task === 'embed' ? [{ item, task }] : [],
  );
  if (images.length > 0) return embed(input, images, services, work);
  const [checks] = items;
  if (checks === undefined || (await hasOpenItems(services.database.pool, work.jobId, 'check'))) {
    return () => Promise.resolve(new Map()); // given back until the others are done
  }
  return check(input, checks, services, work);
}

interface EmbedItem {
  readonly item: ClaimedItem;
  readonly task: Extract<ReindexItem, { task: 'embed' }>;
}

async function embed(
  input: ReindexInput,
  images: readonly EmbedItem[],
  services: ReindexServices,
  { job, signal }: Work,
): Promise<Commit> {
  const { collectionId, visionSpaceId } = input;
  const { again } = madePlan.parse(job.plan);
  const generation = await findBuilt(services.database, job);
  if (generation?.discardedAt !== null) {
    return () => Promise.resolve(new Map(images.map(({ item }) => [item.id, DISCARDED])));
  }
  const vision = await getVision(services, input);
  const notBefore = again ? job.createdAt : null;
  const orders = images.map(({ item, task }) => ({ item, imageId: asImageId(task.imageId) }));
  const order = { collectionId, visionSpaceId, vision, notBefore };
  const batch = await embedBatch(services, order, orders, signal);
  const itemIds = images.map(({ item }) => item.id);
  return (client) =>
    commitReindex(client, { collectionId, visionSpaceId }, batch, { again, itemIds });
}

async function check(
  { canaries }: ReindexInput,
  { id }: ClaimedItem,
  services: ReindexServices,
  { job, signal, logger }: Work,
): Promise<Commit> {
  const generation = await findBuilt(services.database, job);
  if (generation?.discardedAt !== null) return () => Promise.resolve(new Map([[id, DISCARDED]]));
  const checks = await checkGeneration(services, generation, { canaries, signal, logger });
  return async (client) => {
    // Failed images that are tried again come first; then the checks are made anew.
    if (await hasOpenItems(client, job.id, 'check')) return new Map();
    await settleGeneration(client, { id: generation.id, jobId: job.id }, checks);
    return new Map([[id, outcomeOf(checks)]]);
  };
}

function outcomeOf(checks: readonly GenerationCheck[]): Outcome {
  const failed = checks.filter(({ passed }) => !passed);
  if (failed.length === 0) {
    return { kind: 'done', reasonCode: 'CHECKED' satisfies ReindexOutcome };
  }
  const message = failed.map(({ name, detail }) => `${name}: ${detail}`).join(' ');
  return { kind: 'failed', reasonCode: 'CHECKS_FAILED', message: message.slice(0, 2000) };
}

async function findBuilt({ prisma }: Database, job: JobRecord): Promise<GenerationRecord | null> {
  return findGeneration(prisma, madePlan.safeParse(job.plan).data?.generationId ?? '');
}

async function summarize({ database }: ReindexServices, jobId: JobId): Promise<object> {
  const counts = await countOutcomes(database.pool, jobId);
  const of = (...reasons: ReindexOutcome[]): number =>
    counts
      .filter(({ reasonCode }) => reasons.some((reason) => reason === reasonCode))
      .reduce((sum, { count }) => sum + count, 0);
  const job = await findJob(database.prisma, jobId);
  const generation = job && (await findBuilt(database, job));
  return {
    ...{ embedded: of('EMBEDDED'), reused: of('REUSED', 'INGESTED'), deleted: of('DELETED') },
    checks: generation?.checks ?? [],
  };
}
