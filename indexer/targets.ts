import type { Models, VisionModel } from '../models/loaded-models.ts';
import { PlatformError } from '../platform/errors.ts';
import type { IndexKey } from '../store/changes.ts';
import type { Database } from '../store/database.ts';
import { listKeptGenerations, type GenerationRecord } from '../store/generations.ts';
import type { CollectionId, VisionSpaceId } from '../store/ids.ts';
import { listVisionSpaces, type VisionSpaceRecord } from '../store/model-registry.ts';

/** A kept generation that images of its collection are embedded for. */
export interface Target {
  readonly generation: GenerationRecord;
  readonly key: IndexKey;
  readonly vision: VisionModel;
}

interface TargetServices {
  readonly database: Pick<Database, 'prisma'>;
  readonly models: Models;
}

/**
 * Where new images of a collection go: all its kept generations, the live one first. Throws `MODEL_MISMATCH` when there is none, or no
 * bundle for one of them.
 */
export async function findTargets(
  services: TargetServices,
  collectionId: CollectionId,
): Promise<readonly Target[]> {
  const { prisma } = services.database;
  const generations = await listKeptGenerations(prisma, collectionId);
  if (!generations.some(({ state }) => state === 'LIVE')) {
    throw new PlatformError('MODEL_MISMATCH', 'The collection has no live generation.');
  }
  const spaces = await listVisionSpaces(prisma);
  return Promise.all(generations.map((generation) => toTarget(services, spaces, generation)));
}

async function toTarget(
  services: TargetServices,
  spaces: readonly VisionSpaceRecord[],
  generation: GenerationRecord,
): Promise<Target> {
  const { collectionId, visionSpaceId, number } = generation;
  const vision = await findVisionModel(services.models, spaces, visionSpaceId);
  if (vision !== null) return { generation, key: { collectionId, visionSpaceId }, vision };
  const name = spaces.find(({ id }) => id === visionSpaceId)?.name ?? visionSpaceId;
  const story = `Generation ${number} of the collection is of the vision space ${name}, which no model bundle here embeds into`;
  throw new PlatformError(
    'MODEL_MISMATCH',
    `${story}: name its bundle (MODEL_BUNDLE), put it into BUNDLES_DIR, or discard the generation.`,
  );
}

/** Null: no bundle here embeds into the space. */
export async function findVisionModel(
  models: Models,
  spaces: readonly VisionSpaceRecord[],
  id: VisionSpaceId,
): Promise<VisionModel | null> {
  const space = spaces.find((one) => one.id === id);
  return space === undefined ? null : models.findVision(space.fingerprint);
}
