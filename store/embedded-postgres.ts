import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from 'pg';
import { PlatformError } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import {
  findCluster,
  lastLogLines,
  openCluster,
  readPostmaster,
  removeForeignPidFile,
  SUPERUSER,
  type Cluster,
} from './postgres-cluster.ts';
import { becomeLast, connectPresence, isGone } from './postgres-presence.ts';
import { findPostgresPrograms, type PostgresPrograms } from './postgres-programs.ts';
import {
  freePort,
  readLastPort,
  readServerState,
  stopServer,
  tryToStart,
} from './postgres-start.ts';

export interface EmbeddedPostgresOptions {
  /** The server's files lie in its folder `pg`. One server a data folder, shared by all its processes. */
  readonly dataFolder: string;
  /** How long to wait for a server that another process starts or stops, or to try again. Default 60 s. */
  readonly startTimeoutMs?: number;
  readonly logger?: Logger;
}

const RETRY_MS = 100;
/** How long a start keeps to the port: processes of the dead server may still have it, or somebody else has it for good. */
const SAME_PORT_MS = 3000;
/** How long to wait for a server that is gone: another process may be starting it. */
const GONE_AFTER_MS = 5000;
/** Between two starts that fail: the port may be taken for a moment, or the disk be full. */
const RESTART_MS = 1000;

/**
 * A real PostgreSQL server, shared by all processes of a data folder.
 *
 * The first to come starts it, detached, so that it survives its starter; others join. Each keeps one connection that
 * holds a shared advisory lock: the kernel ends it whatever way the process dies, so nobody is counted who is gone.
 * Whoever leaves tries the same lock alone. If it gets it nobody else is there, nobody can join while it holds it, and it
 * stops the server. There is no lock file: of two that start at once, PostgreSQL lets one win and the other joins.
 *
 * A server that dies is started again by whoever notices, on its port, so that the pools of all find it there. One that was
 * stopped stays so.
 */
export class EmbeddedPostgres {
  readonly #cluster: Cluster;
  readonly #programs: PostgresPrograms;
  readonly #logger: Logger | undefined;
  #presence: Client;
  readonly port: number;
  readonly #closing = new AbortController();
  #rejoining: Promise<void> = Promise.resolve();

  private constructor(parts: {
    readonly cluster: Cluster;
    readonly programs: PostgresPrograms;
    readonly presence: Client;
    readonly logger: Logger | undefined;
  }) {
    this.#cluster = parts.cluster;
    this.#programs = parts.programs;
    this.#logger = parts.logger;
    this.#presence = parts.presence;
    this.port = parts.presence.port;
    this.#watch();
  }

  /** Joins the data folder's server, which is started if it doesn't run. */
  static async open(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
    const { dataFolder, startTimeoutMs = 60_000, logger } = options;
    const programs = await findPostgresPrograms();
    const cluster = await openCluster(dataFolder, programs);
    const startedAt = performance.now();
    // Where it died others wait for it on its port: another one only if that can't be had for seconds.
    let port = (await readLastPort(cluster)) ?? (await freePort());
    for (;;) {
      const presence = await connectPresence(cluster);
      if (presence !== null) return new EmbeddedPostgres({ cluster, programs, presence, logger });
      const failure = await tryToStart(cluster, programs, port);
      const waitedMs = performance.now() - startedAt;
      if (waitedMs > startTimeoutMs) throw await didNotStart(cluster, failure);
      if (failure === null) continue;
      await pause(RETRY_MS);
      if (waitedMs > SAME_PORT_MS) port = await freePort();
    }
  }

  /** Stops a data folder's server whoever uses it. False when none ran. */
  static async stop(dataFolder: string): Promise<boolean> {
    const cluster = await findCluster(dataFolder);
    if (cluster === null || (await readPostmaster(cluster)) === null) return false;
    await removeForeignPidFile(cluster);
    if ((await readPostmaster(cluster)) === null) return false;
    await stopServer(cluster, await findPostgresPrograms());
    return true;
  }

  url(database: string): string {
    const { password } = this.#cluster;
    return `postgresql://${SUPERUSER}:${password}@127.0.0.1:${this.port}/${encodeURIComponent(database)}`;
  }

  /** Leaves; the last to leave stops the server. */
  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    await this.#rejoining;
    try {
      if (await becomeLast(this.#presence)) await stopServer(this.#cluster, this.#programs);
    } catch (error) {
      if (!isGone(error)) throw error; // somebody stopped it already
    } finally {
      await this.#presence.end().catch(() => undefined);
    }
  }

  #watch(): void {
    this.#presence.once('end', () => {
      if (this.#closing.signal.aborted) return;
      this.#rejoining = this.#rejoin().catch((error: unknown) => {
        this.#logger?.error({ err: error }, 'The embedded Postgres can not be used any more.');
      });
    });
  }

  /** Joins the server again when it is back, and starts it when it died. */
  async #rejoin(): Promise<void> {
    const { signal } = this.#closing;
    let goneSince: number | null = null;
    for (;;) {
      const presence = await this.#join();
      if (presence !== null) return this.#take(presence);
      if (signal.aborted) return;
      const state = await readServerState(this.#cluster);
      goneSince = state === 'gone' ? (goneSince ?? performance.now()) : null;
      if (goneSince !== null && performance.now() - goneSince > GONE_AFTER_MS) return;
      if (state === 'dead') await this.#restart();
      else await pause(RETRY_MS, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  async #join(): Promise<Client | null> {
    try {
      return await connectPresence(this.#cluster);
    } catch (error) {
      this.#logger?.warn({ err: error }, 'The embedded Postgres takes no connection yet.');
      return null;
    }
  }

  async #take(presence: Client): Promise<void> {
    if (presence.port !== this.port) {
      await presence.end();
      throw new Error(`It runs on port ${presence.port} now instead of ${this.port}.`);
    }
    this.#presence = presence;
    this.#watch();
    this.#logger?.warn('The embedded Postgres is back.');
  }

  async #restart(): Promise<void> {
    this.#logger?.error('The embedded Postgres died; it is started again.');
    const failure = await tryToStart(this.#cluster, this.#programs, this.port);
    if (failure === null) return;
    this.#logger?.warn({ failure }, 'It did not start, or another process was quicker.');
    const { signal } = this.#closing;
    await pause(RESTART_MS, undefined, { signal, ref: false }).catch(() => undefined);
  }
}

async function didNotStart(cluster: Cluster, failure: string | null): Promise<PlatformError> {
  const reasons = [failure, await lastLogLines(cluster)].filter((reason) => reason !== null);
  return new PlatformError(
    'INVALID_CONFIG',
    `The Postgres server of ${cluster.folder} doesn't start. If no server runs, remove postmaster.pid there.\n${reasons.join('\n')}`,
  );
}
