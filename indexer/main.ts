/** The worker process: does jobs until it is told to stop. The only file of it that reads the environment. */
import { constants, setPriority } from 'node:os';
import { Closers } from '../platform/closers.ts';
import { messageOf, PlatformError } from '../platform/errors.ts';
import { createLogger } from '../platform/logger.ts';
import { logLevelOf } from '../platform/settings.ts';
import { parseConfig } from './config.ts';
import { runWorker } from './run-worker.ts';
import { openServices } from './services.ts';

const logger = createLogger({ level: logLevelOf(process.env, 'info') });
const closers = new Closers();
const stop = new AbortController();

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    stop.abort(new Error(signal));
  });
}
// Forked by a server: without it there is nobody to work for.
process.once('disconnect', () => {
  stop.abort(new Error('The parent is gone.'));
});

try {
  yieldToSearches();
  const config = parseConfig(process.env);
  const services = await openServices(config, { closers, logger });
  logger.info('The indexer waits for jobs.');
  process.send?.('ready');
  await runWorker({ services, logger, signal: stop.signal });
  logger.info('The indexer stops.');
} catch (error) {
  process.exitCode = 1;
  if (error instanceof PlatformError) logger.fatal(`${error.message} [${error.code}]`);
  else logger.fatal({ err: error }, 'The indexer failed.');
} finally {
  await closers.close();
  if (process.connected) process.disconnect();
}

/** Searches of a person come before the work of a night; threads and children made later inherit it. */
function yieldToSearches(): void {
  try {
    setPriority(constants.priority.PRIORITY_LOW);
  } catch (error) {
    logger.warn(`The priority can't be lowered: ${messageOf(error)}`);
  }
}
