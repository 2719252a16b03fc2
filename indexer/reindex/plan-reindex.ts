import type { Database } from '../../store/database.ts';
import { beginGeneration, COMPLETE } from '../../store/generation-switch.ts';
import { listKeptGenerations } from '../../store/generations.ts';
import type { CollectionId, GenerationId, JobId, VisionSpaceId } from '../../store/ids.ts';
import { requirePlanned } from '../../store/job-items.ts';
import { findNewestTextModel } from '../../store/model-registry.ts';
import { addReindexItems, countReindex, type ImageScope } from '../../store/reindex-items.ts';
import { bytesOf, estimateSeconds } from '../ingest/estimate.ts';
import { CHECKS_KEY } from './reindex-item.ts';

/** What a reindex found it has to do; the public `JobPlan`. */
export interface ReindexPlan {
  /** Null: a dry run makes none. */
  readonly generationId: GenerationId | null;
  /** Whether what has an embedding is embedded again: the generation was complete before. */
  readonly again: boolean;
  readonly files: number;
  readonly toRead: number;
  readonly toEmbed: number;
  readonly reused: number;
  readonly bytesToRead: number;
  readonly estimatedBytes: number;
  readonly estimatedSeconds: number | null;
}

export interface ReindexPlanOptions {
  readonly jobId: JobId;
  readonly collectionId: CollectionId;
  readonly visionSpaceId: VisionSpaceId;
  readonly dimensions: number;
  readonly scope: ImageScope;
  readonly dryRun: boolean;
}

/** Begins the generation and gives every image its item. Doing it again after it broke off adds what is missing. */
export async function planReindex(
  database: Database,
  options: ReindexPlanOptions,
): Promise<ReindexPlan> {
  const { pool } = database;
  const { jobId, collectionId, visionSpaceId, dimensions, scope } = options;
  const key = { collectionId, visionSpaceId };
  const begun = options.dryRun ? await foresee(database, options) : await begin(database, options);
  const again = begun.isComplete && scope.kind !== 'missing';
  const counts = await countReindex(pool, key, scope, again);
  if (options.dryRun) await requirePlanned(pool, jobId);
  else await addReindexItems(pool, jobId, { key, scope, checksKey: CHECKS_KEY });
  const { images, toEmbed, reused, bytesToRead } = counts;
  const added = begun.isComplete
    ? 0
    : bytesOf({ embeddings: toEmbed, dimensions, entries: images });
  return {
    ...{ generationId: begun.id, again, files: images, toRead: toEmbed, toEmbed, reused },
    ...{ bytesToRead, estimatedBytes: added },
    estimatedSeconds: await estimateSeconds(database, toEmbed),
  };
}

interface Foreseen {
  readonly id: GenerationId | null;
  readonly isComplete: boolean;
}

async function foresee(
  { prisma }: Database,
  { collectionId, visionSpaceId }: ReindexPlanOptions,
): Promise<Foreseen> {
  const kept = await listKeptGenerations(prisma, collectionId);
  const found = kept.find((one) => one.visionSpaceId === visionSpaceId);
  return { id: null, isComplete: found !== undefined && COMPLETE.has(found.state) };
}

async function begin(
  { pool, prisma }: Database,
  { jobId, collectionId, visionSpaceId }: ReindexPlanOptions,
): Promise<Foreseen> {
  const textModel = await findNewestTextModel(prisma, visionSpaceId);
  return beginGeneration(pool, jobId, {
    ...{ collectionId, visionSpaceId, textModelId: textModel?.id ?? null },
  });
}
