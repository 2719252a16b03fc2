import type { Command } from 'commander';
import { parseConfig, type ApiConfig } from '../../api/config.ts';
import { startApi, type RunningApi } from '../../api/start-api.ts';
import { parseConfig as parseIndexerConfig } from '../../indexer/config.ts';
import { Closers } from '../../platform/closers.ts';
import { createLogger } from '../../platform/logger.ts';
import { logLevelOf, type Environment } from '../../platform/settings.ts';
import { makeDemo } from '../demo.ts';
import { IndexerProcess } from '../indexer-process.ts';
import type { CommandContext } from '../program.ts';
import { Progress } from '../progress.ts';
import { writeServerFile } from '../server-file.ts';
import { createSignInLink } from '../sign-in-link.ts';

interface StartFlags {
  readonly port?: string;
  readonly host?: string;
  readonly demo: boolean;
}

export function addStartCommand(program: Command, context: CommandContext): void {
  program
    .command('start')
    .description(
      'Start the server: API, web page and indexer, with Postgres if DATABASE_URL is not set.',
    )
    .option('--port <n>', 'port to listen on; 0: any free one (PORT, default 4000)')
    .option('--host <address>', 'address to listen on (HOST, default 127.0.0.1)')
    .option('--no-demo', 'leave an empty database empty, without the sample photos')
    .action((flags: StartFlags) => start(flags, context));
}

const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost']);

async function start(flags: StartFlags, context: CommandContext): Promise<void> {
  const environment: Environment = {
    ...context.environment,
    ...(flags.port === undefined ? {} : { PORT: flags.port }),
    ...(flags.host === undefined ? {} : { HOST: flags.host }),
  };
  const config = parseConfig(environment);
  parseIndexerConfig(environment); // told here, in one line, before it is told by a process that dies again and again
  const logger = createLogger({ level: logLevelOf(environment, 'warn') });
  const closers = new Closers();
  const progress = new Progress(context);
  try {
    const api = await startApi(config, { closers, logger });
    closers.add(await writeServerFile(config.dataFolder, api.url));
    const indexer = IndexerProcess.start({ environment, logger });
    closers.add(() => indexer.stop());
    await Promise.race([api.ready, untilAborted(context.signal)]);
    if (flags.demo && !context.signal.aborted)
      await makeDemo(api.services, { progress, signal: context.signal });
    if (!context.signal.aborted) context.out(await greeting(api, config));
    await untilAborted(context.signal);
    context.err('Stopping …\n');
  } finally {
    progress.stop();
    await closers.close();
  }
}

async function greeting(
  { url, services }: RunningApi,
  { host, publicUrl }: ApiConfig,
): Promise<string> {
  const { prisma } = services.database;
  const link = LOOPBACK.has(host)
    ? `Sign in, once, within the hour:  ${await createSignInLink(prisma, publicUrl ?? url)}\n`
    : 'Sign in:      bin/sharelock sign-in prints a link that works once\n';
  return [
    `ShareLock Search is ready:       ${url}\n`,
    link,
    'Make a key for programs:         bin/sharelock key create --role READER\n',
    'Index photos of your own:        bin/sharelock index FOLDER --collection NAME\n',
    'Stop:                            Ctrl-C\n',
  ].join('');
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    const keepAlive = setInterval(() => undefined, 60_000);
    signal.addEventListener('abort', () => {
      clearInterval(keepAlive);
      resolve();
    });
  });
}
