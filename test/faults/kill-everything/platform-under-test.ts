import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { EmbeddingCount } from './embedding-count.ts';
import { freePort } from './free-port.ts';
import { patientRows } from './patient-query.ts';
import type { PostgresServer } from './postgres-server.ts';
import { SupervisedProcess, type Life } from './supervised-process.ts';

export interface PlatformOptions {
  readonly postgres: PostgresServer;
  /** For DATA_DIR, photos and logs. */
  readonly folder: string;
  readonly bundle: string;
  /** BUNDLES_DIR. */
  readonly bundles: string;
  readonly embeddings: EmbeddingCount;
  readonly onFault: (fault: string) => void;
}

const UP_WITHIN_MS = 120_000;
const LOOK_EVERY_MS = 100;

/** One API and two workers, processes of their own as docker-compose.yml has them. */
export class PlatformUnderTest {
  readonly #options: PlatformOptions;
  readonly url: string;
  readonly api: SupervisedProcess;
  readonly workers: readonly SupervisedProcess[];

  private constructor(options: PlatformOptions, port: number) {
    this.#options = options;
    this.url = `http://127.0.0.1:${port}`;
    const { folder, onFault } = options;
    const supervise = (name: string, live: (name: string) => Life): SupervisedProcess =>
      new SupervisedProcess({ name, live, onFault, logFile: join(folder, `${name}.log`) });
    this.api = supervise('api', (name) => {
      const env = { ...this.environment(name), PORT: String(port) };
      return { name, script: 'api/main.ts', args: [], env };
    });
    const worker = (name: string): Life => ({
      ...{ name, script: 'test/faults/kill-everything/counting-worker.ts' },
      ...{ args: [options.embeddings.fileOf(name)], env: this.environment(name) },
    });
    this.workers = ['worker-1', 'worker-2'].map((name) => supervise(name, worker));
  }

  static async start(options: PlatformOptions): Promise<PlatformUnderTest> {
    return new PlatformUnderTest(options, await freePort());
  }

  /** Resolves when the API answers /readyz and each worker holds the lock that lets it take work. */
  async untilUp(pool: Pool): Promise<void> {
    const deadline = performance.now() + UP_WITHIN_MS;
    for (;;) {
      const missing = await this.#findMissing(pool);
      if (missing.length === 0) break;
      if (performance.now() > deadline) throw new Error(`Not up again: ${missing.join(', ')}.`);
      await pause(LOOK_EVERY_MS);
    }
    for (const one of [this.api, ...this.workers]) one.noteUp();
  }

  /** Asks all to end, and gives what was wrong with how they did. */
  async stop(): Promise<readonly string[]> {
    const stopped = await Promise.all([this.api, ...this.workers].map((one) => one.stop()));
    return stopped.filter((fault) => fault !== null);
  }

  destroy(): void {
    for (const one of [this.api, ...this.workers]) one.destroy();
  }

  /** What every process of it reads, and `sharelock verify`. */
  environment(user: string): Readonly<Record<string, string>> {
    const { postgres, folder, bundle, bundles } = this.#options;
    return {
      DATABASE_URL: postgres.urlFor(user),
      DATA_DIR: join(folder, 'data'),
      MEDIA_ROOTS: join(folder, 'photos'),
      ...{ MODEL_BUNDLE: bundle, BUNDLES_DIR: bundles, INDEXER_SESSIONS: '1' },
      ...{ HOST: '127.0.0.1', COST_CAPACITY: '1000000000', COST_PER_SECOND: '1000000000' },
    };
  }

  async #findMissing(pool: Pool): Promise<readonly string[]> {
    const names = this.workers.map(({ lifeName }) => lifeName);
    const rows = await patientRows<{ name: string }>(
      pool,
      `SELECT DISTINCT a.application_name AS name FROM pg_stat_activity a JOIN pg_locks l USING (pid)
       WHERE a.application_name = ANY($1) AND l.locktype = 'advisory' AND a.state = 'idle' AND a.query NOT LIKE '%scheduler%'`,
      [names],
    );
    const present = new Set(rows.map(({ name }) => name));
    const missing = names.filter((name) => !present.has(name));
    return (await this.#isApiReady()) ? missing : [...missing, this.api.lifeName];
  }

  async #isApiReady(): Promise<boolean> {
    try {
      const signal = AbortSignal.timeout(3000);
      return (await fetch(`${this.url}/readyz`, { signal })).ok;
    } catch {
      return false;
    }
  }
}
