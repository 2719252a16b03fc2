/** The API's process where it runs by itself (docker-compose.yml). The only file of api/ that reads the environment. */
import { Closers } from '../platform/closers.ts';
import { PlatformError } from '../platform/errors.ts';
import { createLogger } from '../platform/logger.ts';
import { logLevelOf } from '../platform/settings.ts';
import { parseConfig } from './config.ts';
import { startApi } from './start-api.ts';

const logger = createLogger({ level: logLevelOf(process.env, 'info') });
const closers = new Closers();
const stopped = new Promise<NodeJS.Signals>((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, resolve);
});

try {
  const { url } = await startApi(parseConfig(process.env), { closers, logger });
  logger.info({ url }, 'The API listens.');
  logger.info({ signal: await stopped }, 'The API stops.');
} catch (error) {
  process.exitCode = 1;
  if (error instanceof PlatformError) logger.fatal(`${error.message} [${error.code}]`);
  else logger.fatal({ err: error }, 'The API failed.');
} finally {
  await closers.close();
}
