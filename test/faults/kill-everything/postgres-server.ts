import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client } from 'pg';
import type { Random } from '../../../platform/random.ts';
import {
  openCluster,
  readPostmaster,
  removeForeignPidFile,
  SUPERUSER,
  type Cluster,
} from '../../../store/postgres-cluster.ts';
import {
  findPostgresPrograms,
  runProgram,
  type PostgresPrograms,
} from '../../../store/postgres-programs.ts';
import { freePort } from './free-port.ts';

const PATIENCE_MS = 60_000;
const RETRY_MS = 100;

/** A Postgres of the script's own, on one port for good. Whoever kills it starts it again, as a service manager does. */
export class PostgresServer {
  readonly #cluster: Cluster;
  readonly #programs: PostgresPrograms;
  readonly #port: number;

  private constructor(cluster: Cluster, programs: PostgresPrograms, port: number) {
    this.#cluster = cluster;
    this.#programs = programs;
    this.#port = port;
  }

  static async create(folder: string): Promise<PostgresServer> {
    const programs = await findPostgresPrograms();
    const cluster = await openCluster(folder, programs);
    const server = new PostgresServer(cluster, programs, await freePort());
    await server.start();
    return server;
  }

  /** `user`: what its connections are called in pg_stat_activity. */
  urlFor(user: string): string {
    const address = `${SUPERUSER}:${this.#cluster.password}@127.0.0.1:${this.#port}`;
    return `postgresql://${address}/postgres?application_name=${user}`;
  }

  /** Resolves when it accepts connections. */
  async start(): Promise<void> {
    const { folder, user } = this.#cluster;
    const log = join(folder, 'start.log');
    const options = ['-D', folder, '-l', log, '-o', `-p ${this.#port}`];
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      try {
        await removeForeignPidFile(this.#cluster);
        await runProgram(this.#programs.pgCtl, ['start', '-w', '-t', '60', ...options], user);
        return;
      } catch (error) {
        if (performance.now() > deadline) throw error;
        await pause(RETRY_MS); // processes of the one before may hold its memory for a moment
      }
    }
  }

  /** kill -9 of the postmaster and everything it started. */
  async killAll(): Promise<void> {
    const server = await readPostmaster(this.#cluster);
    if (server === null) return;
    for (const pid of [server.pid, ...(await childrenOf(server.pid))]) killHard(pid);
  }

  /** kill -9 of one process that serves a client: Postgres then ends all others and recovers by itself. */
  async killBackend(random: Random): Promise<void> {
    const pids = await this.#ask<{ pid: number }>(
      `SELECT pid FROM pg_stat_activity
       WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() ORDER BY pid`,
    );
    if (pids.length > 0) killHard(random.pick(pids).pid);
  }

  async untilItAccepts(): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      try {
        await this.#ask('SELECT 1');
        return;
      } catch (error) {
        if (performance.now() > deadline) throw error;
        await pause(RETRY_MS);
      }
    }
  }

  async stop(): Promise<void> {
    const { folder, user } = this.#cluster;
    const stop = ['stop', '-w', '-m', 'immediate', '-D', folder];
    await runProgram(this.#programs.pgCtl, stop, user).catch(() => this.killAll());
  }

  async #ask<Row extends object>(sql: string): Promise<readonly Row[]> {
    const client = new Client({ connectionString: this.urlFor('script') });
    client.on('error', () => undefined); // the query says it
    try {
      await client.connect();
      return (await client.query<Row>(sql)).rows;
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}

async function childrenOf(parent: number): Promise<readonly number[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=']);
  const pairs = stdout.split('\n').map((line) => line.trim().split(/\s+/).map(Number));
  return pairs.flatMap(([pid = 0, ppid]) => (ppid === parent ? [pid] : []));
}

function killHard(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // gone already
  }
}
