import DataLoader from 'dataloader';
import type { Database } from '../../store/database.ts';
import {
  countImagesOf,
  findGenerationsByIds,
  findLiveEmbeddings,
  findLiveGenerationsOf,
  findSourcesOf,
} from '../../store/collection-summaries.ts';
import { findCollectionsByIds } from '../../store/collections.ts';
import { countIndexedOf } from '../../store/changes.ts';
import { hexOf, readEmbeddings } from '../../store/embeddings.ts';
import { findImagesByIds } from '../../store/images.ts';
import { findTagsOf } from '../../store/image-tags.ts';
import { measureRates } from '../../store/job-progress.ts';
import { countItemsOf } from '../../store/job-summaries.ts';
import type {
  CollectionId,
  GenerationId,
  ImageId,
  JobId,
  LabelId,
  TagRunId,
  VisionSpaceId,
  VocabularyId,
} from '../../store/ids.ts';
import { findJobsByIds } from '../../store/jobs.ts';
import { findTagRunsByIds, findTagRunsOfJobs } from '../../store/tag-runs.ts';
import type { Queryable } from '../../store/transaction.ts';
import {
  findNewestVersions,
  findVocabulariesByIds,
  type LabelRecord,
} from '../../store/vocabularies.ts';
import { findLabelsByIds, findLabelsOfVersion } from '../../store/vocabulary-labels.ts';

import type { ModelLists } from './model-lists.ts';

export type Loaders = ReturnType<typeof createLoaders>;

/** Reads by key, for one request: what is asked for in the same turn is read together, and nothing is read twice. */
export function createLoaders(
  { pool, prisma }: Database,
  models: Pick<ModelLists, 'visionSpaces' | 'textModels'>,
) {
  return {
    collection: byKey(async (ids: readonly CollectionId[]) =>
      keyed(await findCollectionsByIds(prisma, ids), ({ id }) => id),
    ),
    imageCount: byKey((ids: readonly CollectionId[]) => countImagesOf(pool, ids)),
    sources: byKey((ids: readonly CollectionId[]) => findSourcesOf(prisma, ids)),
    liveGeneration: byKey((ids: readonly CollectionId[]) => findLiveGenerationsOf(prisma, ids)),
    generation: byKey((ids: readonly GenerationId[]) => findGenerationsByIds(prisma, ids)),
    indexedCount: byKey((keys: readonly string[]) => countIndexedOf(pool, keys)),
    image: byKey(async (ids: readonly ImageId[]) =>
      keyed(await findImagesByIds(pool, ids), ({ id }) => id),
    ),
    tags: byKey((ids: readonly ImageId[]) => findTagsOf(pool, ids)),
    liveEmbedding: byKey((ids: readonly ImageId[]) => findLiveEmbeddings(pool, ids)),
    vector: createVectorLoader(pool),
    rate: byKey((ids: readonly JobId[]) => measureRates(pool, ids, new Date())),
    itemCounts: byKey((ids: readonly JobId[]) => countItemsOf(pool, ids)),
    job: byKey(async (ids: readonly JobId[]) =>
      keyed(await findJobsByIds(prisma, ids), ({ id }) => id),
    ),
    tagRun: byKey(async (ids: readonly TagRunId[]) =>
      keyed(await findTagRunsByIds(pool, ids), ({ id }) => id),
    ),
    tagRunOfJob: byKey((ids: readonly JobId[]) => findTagRunsOfJobs(pool, ids)),
    vocabulary: byKey(async (ids: readonly VocabularyId[]) =>
      keyed(await findVocabulariesByIds(pool, ids), ({ id }) => id),
    ),
    newestVersion: byKey((ids: readonly VocabularyId[]) => findNewestVersions(pool, ids)),
    label: byKey(async (ids: readonly LabelId[]) =>
      keyed(await findLabelsByIds(pool, ids), ({ id }) => id),
    ),
    labelOfVersion: createLabelLoader(pool),
    visionSpaces: models.visionSpaces,
    textModels: models.textModels,
  };
}

interface VectorKey {
  readonly visionSpaceId: VisionSpaceId;
  readonly sha256: Uint8Array;
}

/** One statement a vision space. */
function createVectorLoader(db: Queryable) {
  const nameOf = ({ visionSpaceId, sha256 }: VectorKey): string =>
    `${visionSpaceId} ${hexOf(sha256)}`;
  return new DataLoader<VectorKey, Float32Array | null, string>(
    async (keys) => {
      const spaces = [...new Set(keys.map(({ visionSpaceId }) => visionSpaceId))];
      const found = new Map<string, ReadonlyMap<string, Float32Array>>();
      for (const space of spaces) {
        const hashes = keys.filter((key) => key.visionSpaceId === space).map((key) => key.sha256);
        found.set(space, await readEmbeddings(db, space, hashes));
      }
      return keys.map((key) => found.get(key.visionSpaceId)?.get(hexOf(key.sha256)) ?? null);
    },
    { cacheKeyFn: nameOf },
  );
}

type LabelKey = Pick<LabelRecord, 'vocabularyId' | 'version' | 'id'>;

/** One statement a version. */
function createLabelLoader(db: Queryable) {
  const versionOf = ({ vocabularyId, version }: LabelKey): string => `${vocabularyId} ${version}`;
  const nameOf = (key: LabelKey): string => `${versionOf(key)} ${key.id}`;
  return new DataLoader<LabelKey, LabelRecord | null, string>(
    async (keys) => {
      const versions = new Map(keys.map((key) => [versionOf(key), key]));
      const found = new Map<string, LabelRecord>();
      for (const [name, version] of versions) {
        const ids = keys.filter((key) => versionOf(key) === name).map(({ id }) => id);
        const labels = await findLabelsOfVersion(db, version, ids);
        for (const label of labels) found.set(nameOf(label), label);
      }
      return keys.map((key) => found.get(nameOf(key)) ?? null);
    },
    { cacheKeyFn: nameOf },
  );
}

/** A loader of single values from a reader of maps; null where the map has none. */
function byKey<Key extends string | bigint | number, Value>(
  read: (keys: readonly Key[]) => Promise<ReadonlyMap<Key | string, Value>>,
): DataLoader<Key, Value | null> {
  return new DataLoader<Key, Value | null>(async (keys) => {
    const found = await read(keys);
    return keys.map((key) => found.get(key) ?? null);
  });
}

function keyed<Key, Value>(
  values: readonly Value[],
  keyOf: (value: Value) => Key,
): ReadonlyMap<Key, Value> {
  return new Map(values.map((value) => [keyOf(value), value]));
}
