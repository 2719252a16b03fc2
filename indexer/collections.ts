import type { Bundle } from '../models/bundle.ts';
import { createCollection, type CollectionRecord } from '../store/collections.ts';
import type { Database } from '../store/database.ts';
import { createFirstGeneration } from '../store/generations.ts';
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
  { pool }: Pick<Database, 'pool'>,
  { visionSpace, textModel }: RegisteredBundle,
  collection: CollectionRecord,
): Promise<CollectionRecord> {
  await createFirstGeneration(
    pool,
    {
      collectionId: collection.id,
      visionSpaceId: visionSpace.id,
      textModelId: textModel?.id ?? null,
    },
    new Date(),
  );
  return collection;
}
