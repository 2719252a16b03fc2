import type { Bundle } from '../models/bundle.ts';
import { PlatformError } from '../platform/errors.ts';
import type { IndexKey } from '../store/changes.ts';
import {
  createCollection,
  setActiveTextModel,
  type CollectionRecord,
} from '../store/collections.ts';
import type { Database } from '../store/database.ts';
import { createFirstGeneration, findLiveGeneration } from '../store/generations.ts';
import type { CollectionId } from '../store/ids.ts';
import {
  registerTextModel,
  registerVisionSpace,
  type TextModelRecord,
  type VisionSpaceRecord,
} from '../store/model-registry.ts';

export interface RegisteredBundle {
  readonly visionSpace: VisionSpaceRecord;
  /** Null: the bundle has no projector yet. */
  readonly textModel: TextModelRecord | null;
}

/** The rows of a bundle's vision space and text model, made at its first use. Any number of processes may call it at once. */
export async function registerBundle(
  { prisma }: Pick<Database, 'prisma'>,
  bundle: Bundle,
): Promise<RegisteredBundle> {
  const { name, version, vision, language, projector, metrics = {} } = bundle.manifest;
  const visionSpace = await registerVisionSpace(prisma, {
    ...{ fingerprint: bundle.visionSpace, name: vision.name, backbone: vision.backbone },
    dimensions: vision.dimensions,
  });
  if (projector === undefined) return { visionSpace, textModel: null };
  const textModel = await registerTextModel(prisma, {
    ...{ fingerprint: bundle.textModel, name, version, languageModel: language.name },
    ...{ visionSpaceId: visionSpace.id, metrics: metrics },
  });
  return { visionSpace, textModel };
}

/** A collection that can be searched at once: generation 1 is live, empty, and the bundle's text model is active. */
export async function createSearchableCollection(
  database: Database,
  bundle: Bundle,
  input: { readonly name: string; readonly description?: string },
): Promise<CollectionRecord> {
  const registered = await registerBundle(database, bundle);
  const collection = await createCollection(database.prisma, {
    name: input.name,
    description: input.description ?? '',
  });
  return makeSearchable(database, registered, collection);
}

/** The same for a collection whose maker died before it was searchable. Any number of processes may call it at once. */
export async function makeSearchable(
  { pool, prisma }: Database,
  { visionSpace, textModel }: RegisteredBundle,
  collection: CollectionRecord,
): Promise<CollectionRecord> {
  const { id } = collection;
  await createFirstGeneration(
    pool,
    { collectionId: id, visionSpaceId: visionSpace.id },
    new Date(),
  );
  if (textModel === null || collection.activeTextModelId !== null) return collection;
  await setActiveTextModel(prisma, id, textModel.id);
  return { ...collection, activeTextModelId: textModel.id };
}

/** What new images of a collection are indexed under. Throws `MODEL_MISMATCH` when the bundle sees otherwise. */
export async function findIndexKey(
  database: Database,
  bundle: Bundle,
  collectionId: CollectionId,
): Promise<IndexKey> {
  const live = await findLiveGeneration(database.prisma, collectionId);
  const { visionSpace } = await registerBundle(database, bundle);
  if (live?.visionSpaceId === visionSpace.id)
    return { collectionId, visionSpaceId: visionSpace.id };
  const story =
    live === null
      ? 'The collection has no live generation'
      : "The collection's live generation is of another vision space than the bundle";
  throw new PlatformError(
    'MODEL_MISMATCH',
    `${story}: name the bundle it was made with (MODEL_BUNDLE).`,
  );
}
