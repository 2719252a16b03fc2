/**
 * A worker in a process of its own whose encoder is slow; forked by test/bench/workers.ts, with DATABASE_URL, DATA_DIR and MS_PER_PHOTO.
 * Says `ready` when it waits for jobs; told anything, it ends and gives what it encoded.
 */
import { once } from 'node:events';
import { Decoder } from '../../../indexer/ingest/decode.ts';
import { ThumbnailStore } from '../../../indexer/ingest/thumbnails.ts';
import { UploadStore } from '../../../indexer/ingest/uploads.ts';
import { JOB_KINDS, type JobServices } from '../../../indexer/jobs/index.ts';
import { JobRunner } from '../../../indexer/jobs/runner.ts';
import { snapshotFolder } from '../../../indexer/vector-index/snapshot-files.ts';
import { createLogger } from '../../../platform/logger.ts';
import { Database } from '../../../store/database.ts';
import { SlowModels } from './slow-models.ts';

const { DATABASE_URL: url = null, DATA_DIR: dataFolder = '', MS_PER_PHOTO: ms } = process.env;
const database = await Database.open({ url, dataFolder });
const decoder = new Decoder({ processes: 1 });
const models = await SlowModels.open(Number(ms));
const services: JobServices = {
  ...{ database, decoder, models, makesThumbnails: false, engine: 'exact' },
  thumbnails: new ThumbnailStore(dataFolder),
  uploads: new UploadStore(dataFolder),
  snapshots: snapshotFolder(dataFolder),
};
const logger = createLogger({ level: 'warn' });
const stop = new AbortController();
const running = new JobRunner({ kinds: JOB_KINDS, database, services, logger }).run(stop.signal);
process.send?.('ready');
await once(process, 'message');
stop.abort();
await running;
process.send?.([...models.encodings]);
await decoder.close();
await database.close();
process.disconnect();
