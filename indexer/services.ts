import { Bundle } from '../models/bundle.ts';
import { BundleCatalog } from '../models/bundle-catalog.ts';
import { LoadedModels } from '../models/loaded-models.ts';
import type { Closers } from '../platform/closers.ts';
import type { Logger } from '../platform/logger.ts';
import { Database } from '../store/database.ts';
import { migrate } from '../store/migrate.ts';
import type { IndexerConfig } from './config.ts';
import { Decoder } from './ingest/decode.ts';
import { ThumbnailStore } from './ingest/thumbnails.ts';
import { UploadStore } from './ingest/uploads.ts';
import type { JobServices } from './jobs/index.ts';
import { putBuiltIns } from './tagging/built-in.ts';
import { snapshotFolder } from './vector-index/snapshot-files.ts';

/** Everything a worker works with, in the order it depends on each other. What is opened is handed to `closers`. */
export async function openServices(
  config: IndexerConfig,
  { closers, logger }: { readonly closers: Closers; readonly logger: Logger },
): Promise<JobServices> {
  const { dataFolder, databaseUrl, bundleFolder, bundlesFolder, sessions, engine } = config;
  const main = await Bundle.open(bundleFolder);
  const applicationName = 'sharelock indexer';
  const database = await Database.open({ url: databaseUrl, dataFolder, applicationName, logger });
  closers.add(() => database.close());
  await migrate(database.pool);
  await putBuiltIns(database.pool, new Date());
  const decoder = new Decoder();
  closers.add(() => decoder.close());
  const catalog = await BundleCatalog.open({ main, folder: bundlesFolder, logger });
  const models = new LoadedModels(catalog, {
    ...(sessions === null ? {} : { visionSessions: sessions }),
    textSessions: 1,
  });
  closers.add(() => models.close());
  return {
    ...{ models, database, decoder, makesThumbnails: true, engine },
    thumbnails: new ThumbnailStore(dataFolder),
    uploads: new UploadStore(dataFolder),
    snapshots: snapshotFolder(dataFolder),
  };
}
