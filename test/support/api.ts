import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseConfig } from '../../api/config.ts';
import type { Services } from '../../api/context.ts';
import { encodeNodeId, requireIdOf } from '../../api/node-ids.ts';
import { startApi } from '../../api/start-api.ts';
import { createSearchableCollection } from '../../indexer/collections.ts';
import { ThumbnailStore } from '../../indexer/ingest/thumbnails.ts';
import type { JobServices } from '../../indexer/jobs/index.ts';
import { snapshotFolder } from '../../indexer/vector-index/snapshot-files.ts';
import { Closers } from '../../platform/closers.ts';
import { createLogger } from '../../platform/logger.ts';
import type { Environment } from '../../platform/settings.ts';
import { createApiKey, type Role } from '../../store/api-keys.ts';
import { getCollection, type CollectionRecord } from '../../store/collections.ts';
import { asJobId } from '../../store/ids.ts';
import type { JobRecord } from '../../store/jobs.ts';
import { addSource } from '../../store/sources.ts';
import { SAMPLE_PHOTOS } from './bundles.ts';
import { closeBeforeDatabase, useEmptyDatabase } from './database.ts';
import { ask, textAt, type Answer, type QueryOptions } from './graphql.ts';
import { ingested, newRunner, useDecoder, useModels } from './indexing.ts';

export { answerOf, textAt, valuesAt, type Answer, type UploadedFile } from './graphql.ts';

/** The real API on a free port, over a database and a data folder of the test file's own; closed after the test file. */
export interface TestApi {
  readonly url: string;
  readonly services: Services;
  /** Secret of an ADMIN of all collections. */
  readonly adminKey: string;
  readonly dataFolder: string;
  /** The one folder of MEDIA_ROOTS. */
  readonly mediaRoot: string;
  query(document: string, options?: QueryOptions): Promise<Answer>;
  /** A new key's secret. `collections`: names; absent: all. */
  keyFor(role: Role, collections?: readonly string[]): Promise<string>;
  /** A folder of sample photos below `mediaRoot`, as a source may be. */
  copyPhotos(names: readonly string[]): Promise<string>;
  /** A collection with these sample photos (without `.jpg`), indexed and caught up. */
  indexedCollection(name: string, photos: readonly string[]): Promise<CollectionRecord>;
  /** Does a job, as the indexer would, and waits until the index has what came of it. */
  runJob(nodeId: string): Promise<JobRecord>;
  /** Resolves when the collection's index holds everything that was committed before. */
  caughtUp(collection: string): Promise<void>;
  /** Sends what is no GraphQL, with `adminKey` unless told otherwise. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
}

export async function useApi(environment: Environment = {}): Promise<TestApi> {
  const folder = await mkdtemp(join(tmpdir(), 'sharelock api '));
  const [dataFolder, mediaRoot] = [join(folder, 'data'), join(folder, 'media')];
  await mkdir(mediaRoot);
  const config = parseConfig({
    ...{ PORT: '0', DATA_DIR: dataFolder, DATABASE_URL: await useEmptyDatabase() },
    ...{ MEDIA_ROOTS: mediaRoot, COST_CAPACITY: '1000000000', COST_PER_SECOND: '1000000000' },
    ...environment,
  });
  const closers = new Closers();
  closers.add(() => rm(folder, { recursive: true, force: true }));
  closeBeforeDatabase(() => closers.close());
  const logger = createLogger({ level: 'silent' });
  const { url, services, ready } = await startApi(config, { closers, logger });
  await ready;
  const jobServices = await createJobServices(services, dataFolder);
  const keyFor = async (role: Role, collections?: readonly string[]): Promise<string> => {
    const { prisma } = services.database;
    const scope =
      collections && (await Promise.all(collections.map((name) => getCollection(prisma, name))));
    const request = { role, collections: scope?.map(({ id }) => id) ?? null };
    return (await createApiKey(prisma, request, new Date())).secret;
  };
  const adminKey = await keyFor('ADMIN');
  const caughtUp = async (name: string): Promise<void> => {
    const { id: collectionId } = await getCollection(services.database.prisma, name);
    const visionSpaceId = services.registered.visionSpace.id;
    await (await services.indexes.get({ collectionId, visionSpaceId })).caughtUp();
  };
  let folders = 0;
  const copyPhotos = async (names: readonly string[]): Promise<string> => {
    const photos = join(mediaRoot, `photos-${++folders}`);
    await mkdir(photos);
    for (const name of names)
      await cp(join(SAMPLE_PHOTOS, `${name}.jpg`), join(photos, `${name}.jpg`));
    return photos;
  };
  return {
    ...{ url, services, adminKey, dataFolder, mediaRoot, keyFor, caughtUp, copyPhotos },
    query: (document, { key = adminKey, ...options } = {}) =>
      ask(url, document, { ...options, key }),
    indexedCollection: async (name, photos) => {
      const { database, bundle } = services;
      const collection = await createSearchableCollection(database, bundle, { name });
      await addSource(database.prisma, {
        ...{ collectionId: collection.id, name: 'src', folder: await copyPhotos(photos) },
      });
      await ingested(jobServices, { collectionId: collection.id });
      await caughtUp(name);
      return collection;
    },
    runJob: async (nodeId) => {
      const id = asJobId(requireIdOf('Job', nodeId));
      const job = await newRunner(jobServices).runJob(id, new AbortController().signal);
      for (const index of services.indexes.opened()) await index.caughtUp();
      return job;
    },
    fetch: (path, { headers, ...init } = {}) =>
      fetch(new URL(path, url), {
        ...init,
        headers: headers ?? { authorization: `Bearer ${adminKey}` },
      }),
  };
}

async function createJobServices(
  { database, bundle, uploads }: Services,
  dataFolder: string,
): Promise<JobServices> {
  return {
    ...{ database, uploads, decoder: useDecoder(), makesThumbnails: false, engine: 'auto' },
    models: await useModels(bundle, join(dataFolder, 'bundles')),
    snapshots: snapshotFolder(dataFolder),
    thumbnails: new ThumbnailStore(dataFolder),
  };
}

/** Node id of a collection's image. */
export async function imageIdOf(api: TestApi, collection: string, photo: string): Promise<string> {
  const answer = await api.query(
    `query ($collection: String!, $path: String!) {
      images(collection: $collection, filter: { path: { contains: $path } }) { edges { node { id } } }
    }`,
    { variables: { collection, path: photo } },
  );
  return textAt(answer, 'images.edges.node.id');
}

/** An id of the right form that no row has. */
export const UNKNOWN_IMAGE = encodeNodeId('Image', 999_999_999n);
const UNKNOWN_UUID = '00000000-0000-4000-8000-000000000000';
export const UNKNOWN_JOB = encodeNodeId('Job', UNKNOWN_UUID);
export const UNKNOWN_SOURCE = encodeNodeId('Source', UNKNOWN_UUID);
