/** A worker as `sharelock worker` is one, that also writes down what it embeds. Started by kill-everything; argument: the file. */
import { appendFileSync } from 'node:fs';
import { parseConfig } from '../../../indexer/config.ts';
import { runWorker } from '../../../indexer/run-worker.ts';
import { openServices } from '../../../indexer/services.ts';
import type { JobServices } from '../../../indexer/jobs/index.ts';
import type { VisionModel } from '../../../models/loaded-models.ts';
import { Closers } from '../../../platform/closers.ts';
import { createLogger } from '../../../platform/logger.ts';

const file = process.argv[2] ?? '';
const stop = new AbortController();
process.once('SIGTERM', () => {
  stop.abort();
});
const closers = new Closers();
const logger = createLogger({ level: 'info' });
try {
  const services = await openServices(parseConfig(process.env), { closers, logger });
  const models = counting(services.models);
  await runWorker({ services: { ...services, models }, logger, signal: stop.signal });
} finally {
  await closers.close();
}

function counting(models: JobServices['models']): JobServices['models'] {
  return {
    main: models.main,
    bundles: () => models.bundles(),
    findText: (fingerprint) => models.findText(fingerprint),
    findVision: async (fingerprint) => {
      const vision = await models.findVision(fingerprint);
      return vision && { ...vision, encoder: () => countingEncoder(vision) };
    },
  };
}

/** What is in the file outlives a kill -9 of the process: it is the system's as soon as it is written. */
async function countingEncoder(vision: VisionModel): ReturnType<VisionModel['encoder']> {
  const encoder = await vision.encoder();
  return {
    dimensions: encoder.dimensions,
    encodePixels: async (images, options) => {
      appendFileSync(file, `begun ${images.length}\n`);
      const embeddings = await encoder.encodePixels(images, options);
      appendFileSync(file, `ended ${images.length}\n`);
      return embeddings;
    },
  };
}
