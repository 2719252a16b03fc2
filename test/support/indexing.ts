import { join } from 'node:path';
import { afterAll } from '@jest/globals';
import { createSearchableCollection } from '../../indexer/collections.ts';
import { Decoder, type DecoderOptions } from '../../indexer/ingest/decode.ts';
import { ThumbnailStore } from '../../indexer/ingest/thumbnails.ts';
import { UploadStore } from '../../indexer/ingest/uploads.ts';
import { JOB_KINDS, type JobServices } from '../../indexer/jobs/index.ts';
import { startIngest, type IngestRequest } from '../../indexer/jobs/ingest.ts';
import { JobRunner } from '../../indexer/jobs/runner.ts';
import { snapshotFolder } from '../../indexer/vector-index/snapshot-files.ts';
import { Bundle } from '../../models/bundle.ts';
import { BundleCatalog } from '../../models/bundle-catalog.ts';
import { LoadedModels } from '../../models/loaded-models.ts';
import { Closers } from '../../platform/closers.ts';
import { createLogger } from '../../platform/logger.ts';
import type { CollectionRecord } from '../../store/collections.ts';
import type { Database } from '../../store/database.ts';
import { listItems, type ItemRecord, type JobItemState } from '../../store/job-items.ts';
import type { JobRecord } from '../../store/jobs.ts';
import { addSource, type SourceRecord } from '../../store/sources.ts';
import { temporaryFolder, TINY_BUNDLE } from './bundles.ts';
import { freshName } from './rows.ts';

const closers = new Closers();
afterAll(() => closers.close());

/** A decoder that is closed after the test file. */
export function useDecoder(options: DecoderOptions = {}): Decoder {
  const decoder = new Decoder({ processes: 2, ...options });
  closers.add(() => decoder.close());
  return decoder;
}

/** The models of a bundle, and of those in a folder; closed after the test file. */
export async function useModels(main: Bundle, folder: string): Promise<LoadedModels> {
  const logger = createLogger({ level: 'silent' });
  const catalog = await BundleCatalog.open({ main, folder, logger });
  const models = new LoadedModels(catalog, { visionSessions: 1, textSessions: 1 });
  closers.add(() => models.close());
  return models;
}

/** What workers need, with the tiny bundle and a data folder of its own. */
export async function useJobServices(
  database: Database,
  { bundles, ...options }: DecoderOptions & { readonly bundles?: string } = {},
): Promise<JobServices & { readonly decoder: Decoder; readonly models: LoadedModels }> {
  const dataFolder = await temporaryFolder();
  return {
    ...{ database, decoder: useDecoder(options), makesThumbnails: true, engine: 'auto' },
    models: await useModels(await Bundle.open(TINY_BUNDLE), bundles ?? join(dataFolder, 'bundles')),
    snapshots: snapshotFolder(dataFolder),
    thumbnails: new ThumbnailStore(dataFolder),
    uploads: new UploadStore(dataFolder),
  };
}

export function newRunner(services: JobServices): JobRunner<JobServices> {
  const { database } = services;
  const logger = createLogger({ level: 'silent' });
  return new JobRunner({ kinds: JOB_KINDS, database, services, logger, pollMs: 50 });
}

/** A collection with one source. */
export async function newSource(
  { database, models }: JobServices,
  folder: string,
): Promise<SourceRecord & { readonly collection: CollectionRecord }> {
  const collection = await createSearchableCollection(database, models.main, {
    name: freshName('photos'),
  });
  const source = await addSource(database.prisma, {
    ...{ collectionId: collection.id, name: 'src', folder },
  });
  return { ...source, collection };
}

/** Ingests a collection and gives the job at its end. */
export async function ingested(
  services: JobServices,
  { collectionId }: Pick<SourceRecord, 'collectionId'>,
  overrides: Partial<IngestRequest> = {},
): Promise<JobRecord> {
  const job = await startIngest(services.database, {
    ...{ collectionId, prune: false, dryRun: false, createdBy: 'test', idempotencyKey: null },
    now: new Date(),
    ...overrides,
  });
  return newRunner(services).runJob(job.id, new AbortController().signal);
}

/** A job's items in a state, as `path: REASON`. */
export async function reasons(
  { pool }: Database,
  { id: jobId }: JobRecord,
  state: JobItemState = 'FAILED',
): Promise<readonly string[]> {
  const items = await listItems(pool, { jobId, state, after: null, limit: 1000 });
  return items.map(({ key, reasonCode }: ItemRecord) => `${key}: ${reasonCode ?? ''}`).sort();
}
