import { Bundle } from '../models/bundle.ts';
import { ImageEncoder } from '../models/image-encoder.ts';
import type { Closers } from '../platform/closers.ts';
import { lazily } from '../platform/lazily.ts';
import type { Logger } from '../platform/logger.ts';
import { Database } from '../store/database.ts';
import { migrate } from '../store/migrate.ts';
import type { IndexerConfig } from './config.ts';
import { Decoder } from './ingest/decode.ts';
import { ThumbnailStore } from './ingest/thumbnails.ts';
import { UploadStore } from './ingest/uploads.ts';
import type { JobServices } from './jobs/index.ts';

/** Everything a worker works with, in the order it depends on each other. What is opened is handed to `closers`. */
export async function openServices(
  config: IndexerConfig,
  { closers, logger }: { readonly closers: Closers; readonly logger: Logger },
): Promise<JobServices> {
  const { dataFolder, databaseUrl, bundleFolder, sessions } = config;
  const bundle = await Bundle.open(bundleFolder);
  const applicationName = 'sharelock indexer';
  const database = await Database.open({ url: databaseUrl, dataFolder, applicationName, logger });
  closers.add(() => database.close());
  await migrate(database.pool);
  const decoder = new Decoder();
  closers.add(() => decoder.close());
  const encoder = lazily(() => ImageEncoder.load(bundle, sessions === null ? {} : { sessions }));
  closers.add(async () => (await encoder.begun())?.dispose());
  return {
    ...{ bundle, database, decoder, encoder: encoder.get, makesThumbnails: true },
    thumbnails: new ThumbnailStore(dataFolder),
    uploads: new UploadStore(dataFolder),
  };
}
