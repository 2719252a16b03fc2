import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Logger } from '../platform/logger.ts';
import type { Environment } from '../platform/settings.ts';

const MAIN = fileURLToPath(new URL('../indexer/main.ts', import.meta.url));
const TSX = import.meta.resolve('tsx');
const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 30_000;
/** One that lived this long had a good start. */
const GOOD_LIFE_MS = 60_000;
const PATIENCE_MS = 20_000;

export interface IndexerProcessOptions {
  readonly environment: Environment;
  readonly logger: Logger;
}

/** The indexer in a process of its own, so that its work holds up no search. One that dies is started again, ever slower. */
export class IndexerProcess {
  readonly #options: IndexerProcessOptions;
  #child: ChildProcess | null = null;
  #delayMs = FIRST_DELAY_MS;
  #restart: NodeJS.Timeout | null = null;
  #isStopping = false;

  private constructor(options: IndexerProcessOptions) {
    this.#options = options;
  }

  static start(options: IndexerProcessOptions): IndexerProcess {
    const indexer = new IndexerProcess(options);
    indexer.#start();
    return indexer;
  }

  /** Lets it finish or give back its batch; ends it by force when it doesn't. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    if (this.#restart) clearTimeout(this.#restart);
    const child = this.#child;
    if (child === null) return;
    const ended = new Promise<void>((resolve) => {
      child.once('exit', () => {
        resolve();
      });
    });
    child.kill('SIGTERM');
    const force = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
    await ended;
    clearTimeout(force);
  }

  #start(): void {
    const { environment, logger } = this.#options;
    const startedAt = performance.now();
    const child = fork(MAIN, {
      execArgv: ['--import', TSX],
      env: { LOG_LEVEL: 'warn', ...environment },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child = child;
    child.once('error', (error) => {
      logger.error({ err: error }, 'The indexer could not be started.');
    });
    child.once('exit', (code, signal) => {
      this.#child = null;
      if (this.#isStopping) return;
      if (performance.now() - startedAt > GOOD_LIFE_MS) this.#delayMs = FIRST_DELAY_MS;
      logger.error({ code, signal, againInMs: this.#delayMs }, 'The indexer ended.');
      this.#restart = setTimeout(() => {
        this.#start();
      }, this.#delayMs);
      this.#delayMs = Math.min(this.#delayMs * 2, LONGEST_DELAY_MS);
    });
  }
}
