import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { Closers } from '../../../platform/closers.ts';
import { Database } from '../../../store/database.ts';
import { createApiKey } from '../../../store/api-keys.ts';
import { migrate } from '../../../store/migrate.ts';
import { createOwnDatabase } from './own-database.ts';

const ROOT = join(import.meta.dirname, '../../..');
const READY_WITHIN_MS = 120_000;

export interface FleetOptions {
  readonly dataFolder: string;
  /** Folder of MEDIA_ROOTS. */
  readonly mediaFolder: string;
  /** Folder of the main bundle. */
  readonly bundle: string;
  /** Folder of further bundles. */
  readonly bundles: string;
  /** A server on which it makes a database of its own; null: the embedded one of the data folder. */
  readonly server: string | null;
  /** Whether the worker runs at the APIs' priority (`sharelock worker`), and not below (indexer/main.ts). */
  readonly isWorkerEqual: boolean;
}

/** Two API processes and a worker over one database and one data folder, as docker-compose.yml runs them. */
export interface Fleet {
  /** Addresses of the API processes. */
  readonly apis: readonly [string, string];
  /** Secret of an ADMIN of all collections. */
  readonly key: string;
  readonly database: Database;
  /** As its processes have it. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Log lines of its processes that are warnings or worse. */
  readonly complaints: readonly string[];
  /** Ends the processes, closes the database and drops it. */
  close(): Promise<void>;
}

export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const closers = new Closers();
  try {
    return await start(options, closers);
  } catch (error) {
    await closers.close();
    throw error;
  }
}

async function start(options: FleetOptions, closers: Closers): Promise<Fleet> {
  const { dataFolder, server } = options;
  const url = server === null ? null : await createOwnDatabase(server, closers);
  const database = await Database.open({ url, dataFolder });
  closers.add(() => database.close());
  await migrate(database.pool);
  const request = { role: 'ADMIN', collections: null } as const;
  const { secret: key } = await createApiKey(database.prisma, request, new Date());
  const environment = {
    ...process.env,
    ...{ DATABASE_URL: url ?? '', DATA_DIR: dataFolder, MEDIA_ROOTS: options.mediaFolder },
    ...{ MODEL_BUNDLE: options.bundle, BUNDLES_DIR: options.bundles },
    ...{ HOST: '127.0.0.1', PORT: '0', LOG_LEVEL: 'info' },
    ...{ COST_CAPACITY: '1000000000', COST_PER_SECOND: '1000000000' },
  };
  const complaints: string[] = [];
  const worker = options.isWorkerEqual ? 'bin/sharelock.ts worker' : 'indexer/main.ts';
  const programs = ['api/main.ts', 'api/main.ts', worker];
  const processes = programs.map((program) => new LoggingProcess(program, environment, complaints));
  closers.add(() => stopAll(processes));
  const [a, b, last] = processes;
  if (!a || !b || !last) throw new Error('A fleet has three processes.');
  const apis = [await listening(a), await listening(b)] as const;
  await last.line(({ msg }) => /waits for jobs|Waiting for jobs/.test(String(msg)));
  return { apis, key, database, environment, complaints, close: () => closers.close() };
}

async function listening(api: LoggingProcess): Promise<string> {
  const url = String((await api.line(({ url }) => typeof url === 'string'))['url']);
  const deadline = performance.now() + READY_WITHIN_MS;
  while (!(await fetch(`${url}/readyz`)).ok) {
    if (performance.now() > deadline) throw new Error(`${url} doesn't become ready.`);
    await pause(50);
  }
  return url;
}

/** The worker first: it gives back what it has. */
async function stopAll(processes: readonly LoggingProcess[]): Promise<void> {
  for (const one of [...processes].reverse()) await one.stop();
}

type Entry = Readonly<Record<string, unknown>>;

/** A pino level. */
const WARNING = 40;
const PATIENCE_MS = 30_000;

/** A program of ours that logs to stderr. */
class LoggingProcess {
  readonly #process: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #entries: Entry[] = [];
  readonly #program: string;
  #told = new AbortController();

  constructor(program: string, env: NodeJS.ProcessEnv, complaints: string[]) {
    this.#program = program;
    const args = ['--import', 'tsx', ...program.split(' ')];
    const stdio = ['ignore', 'ignore', 'pipe'] as const;
    const child = spawn(process.execPath, args, { cwd: ROOT, env, stdio: [...stdio] });
    this.#process = child;
    this.#ended = once(child, 'exit').then(() => {
      this.#told.abort();
    });
    createInterface({ input: child.stderr }).on('line', (line) => {
      const entry = parse(line);
      if (Number(entry?.['level'] ?? WARNING) >= WARNING) complaints.push(`${program} ${line}`);
      this.#entries.push(entry ?? { msg: line });
      this.#told.abort();
      this.#told = new AbortController();
    });
  }

  /** The first line that it wrote, or will write, of which this is true. */
  async line(isIt: (entry: Entry) => boolean): Promise<Entry> {
    const deadline = performance.now() + READY_WITHIN_MS;
    for (;;) {
      const found = this.#entries.find(isIt);
      if (found) return found;
      const hasEnded = this.#process.exitCode !== null || this.#process.signalCode !== null;
      if (hasEnded || performance.now() > deadline) {
        const said = this.#entries.slice(-5).map((entry) => JSON.stringify(entry));
        throw new Error(
          `${this.#program} ${hasEnded ? 'ended' : 'is not ready'}: ${said.join('\n')}`,
        );
      }
      await pause(1000, null, { signal: this.#told.signal }).catch(() => undefined);
    }
  }

  /** As a supervisor would: asks, and in the end makes it. */
  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    this.#process.kill('SIGTERM');
    const force = setTimeout(() => this.#process.kill('SIGKILL'), PATIENCE_MS);
    await this.#ended;
    clearTimeout(force);
  }
}

/** Null: not of the logger. */
function parse(line: string): Entry | null {
  try {
    return JSON.parse(line) as Entry;
  } catch {
    return null;
  }
}
