import type { z } from 'zod';
import type { Models } from '../../models/loaded-models.ts';
import { PlatformError } from '../../platform/errors.ts';
import type { Database } from '../../store/database.ts';
import { findLiveGeneration, listKeptGenerations } from '../../store/generations.ts';
import type { CollectionId, ImageId, VisionSpaceId } from '../../store/ids.ts';
import { createJob, findJobByKey, listUnfinishedJobs, type JobRecord } from '../../store/jobs.ts';
import { findImagesByIds } from '../../store/images.ts';
import { listVisionSpaces, type VisionSpaceRecord } from '../../store/model-registry.ts';
import { notifyWorkers } from '../../store/worker-presence.ts';
import { reindexInput } from './reindex-input.ts';
import type { Canary } from './canaries.ts';

export const MAX_CHOSEN = 10_000;

export interface ReindexRequest {
  readonly collectionId: CollectionId;
  /** Name, fingerprint or id; null: the live generation's. */
  readonly visionSpace: string | null;
  readonly scope: 'ALL' | 'FAILED' | 'IMAGES';
  /** Of the collection; null unless the scope is IMAGES. */
  readonly imageIds: readonly ImageId[] | null;
  readonly canaries: readonly Canary[];
  readonly dryRun: boolean;
  readonly createdBy: string;
  readonly idempotencyKey: string | null;
  readonly now: Date;
}

interface StartServices {
  readonly database: Database;
  readonly models: Pick<Models, 'findVision'>;
}

/**
 * Makes the job that embeds a collection's images again; a worker plans it and does it. Throws `BAD_USER_INPUT`, `NOT_FOUND`, and `CONFLICT`
 * when another job is embedding into the same vision space, or there is nothing to go on with.
 */
export async function startReindex(
  services: StartServices,
  request: ReindexRequest,
): Promise<JobRecord> {
  const { pool, prisma } = services.database;
  const { collectionId, createdBy, idempotencyKey, now, scope, dryRun } = request;
  const earlier =
    idempotencyKey === null ? null : await findJobByKey(prisma, { createdBy, idempotencyKey });
  if (earlier?.kind === 'REINDEX') return earlier;
  const space = await resolveVisionSpace(services, request);
  await checkImages(services.database, request);
  await checkGeneration(services.database, request, space);
  const input: z.input<typeof reindexInput> = {
    ...{ collectionId, visionSpaceId: space.id, scope, dryRun, canaries: [...request.canaries] },
    imageIds: request.imageIds?.map(String) ?? null,
  };
  reindexInput.parse(input);
  const job = await createJob(prisma, {
    ...{ kind: 'REINDEX', collectionId, createdBy, idempotencyKey, now, input },
  });
  await notifyWorkers(pool);
  return job;
}

async function resolveVisionSpace(
  { database, models }: StartServices,
  { collectionId, visionSpace }: ReindexRequest,
): Promise<VisionSpaceRecord> {
  const spaces = await listVisionSpaces(database.prisma);
  const wanted =
    visionSpace ?? (await findLiveGeneration(database.prisma, collectionId))?.visionSpaceId ?? '';
  const found = spaces.filter(
    ({ id, name, fingerprint }) => id === wanted || name === wanted || fingerprint === wanted,
  );
  const [only] = found;
  if (only === undefined)
    throw bad(
      `There is no vision space "${wanted.slice(0, 100)}". There are: ${spaces.map(({ name }) => name).join(', ')}. Another one's bundle goes into BUNDLES_DIR.`,
    );
  if (found.length > 1) {
    const prints = found.map(({ fingerprint }) => fingerprint).join(', ');
    throw bad(
      `Several vision spaces are named "${wanted.slice(0, 100)}": give a fingerprint (${prints}).`,
    );
  }
  if ((await models.findVision(only.fingerprint)) !== null) return only;
  throw bad(
    `No model bundle here embeds into the vision space ${only.name}: name it (MODEL_BUNDLE), or put it into BUNDLES_DIR.`,
  );
}

async function checkImages(
  { pool }: Database,
  { collectionId, scope, imageIds, canaries }: ReindexRequest,
): Promise<void> {
  if (scope !== 'IMAGES' && imageIds !== null) throw bad('"imageIds" goes with the scope IMAGES.');
  if (scope === 'IMAGES' && (imageIds === null || imageIds.length === 0)) {
    throw bad('The scope IMAGES wants "imageIds".');
  }
  if ((imageIds?.length ?? 0) > MAX_CHOSEN) throw bad(`"imageIds" takes at most ${MAX_CHOSEN}.`);
  const expected = canaries.flatMap((one) => one.imageIds ?? []).map((id) => BigInt(id) as ImageId);
  const ids = [...new Set([...(imageIds ?? []), ...expected])];
  const found = await findImagesByIds(pool, ids);
  const there = found.filter((image) => image.collectionId === collectionId).length;
  if (there === ids.length) return;
  const missing = ids.length - there;
  throw new PlatformError('NOT_FOUND', `${missing} of the images named are not in the collection.`);
}

async function checkGeneration(
  { prisma }: Database,
  { collectionId, scope, dryRun }: ReindexRequest,
  { id, name }: VisionSpaceRecord,
): Promise<void> {
  const kept = await listKeptGenerations(prisma, collectionId);
  const found = kept.find(({ visionSpaceId }) => visionSpaceId === id);
  if (found === undefined && scope !== 'ALL') {
    const message = `The collection has no generation in the vision space ${name}: start with the scope ALL.`;
    throw new PlatformError('CONFLICT', message);
  }
  if (!dryRun) await checkNobodyBuilds(prisma, collectionId, id);
}

async function checkNobodyBuilds(
  prisma: Database['prisma'],
  collectionId: CollectionId,
  visionSpaceId: VisionSpaceId,
): Promise<void> {
  const open = await listUnfinishedJobs(prisma, 'REINDEX', collectionId);
  const builder = open.find(({ input }) => {
    const parsed = reindexInput.safeParse(input).data;
    return parsed?.visionSpaceId === visionSpaceId && !parsed.dryRun;
  });
  if (builder === undefined) return;
  const message = `The job ${builder.id} is embedding the collection into this vision space: wait for it, or cancel it.`;
  throw new PlatformError('CONFLICT', message);
}

function bad(message: string): PlatformError {
  return new PlatformError('BAD_USER_INPUT', message);
}
