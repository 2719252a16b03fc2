import { randomBytes } from 'node:crypto';
import type { Client } from 'pg';
import type { Logger } from '../platform/logger.ts';
import type { JobId } from './ids.ts';
import type { Queryable } from './transaction.ts';

const JOB_CHANNEL = 'sharelock_jobs';

/** What a worker gets to take its lock again after the database was away. */
const SETTLING_MS = 3000;

/** Tells workers that a job waits for them. Inside a transaction: when it commits. */
export async function notifyWorkers(db: Queryable): Promise<void> {
  await db.query(`NOTIFY ${JOB_CHANNEL}`);
}

export interface WorkerPresenceOptions {
  /** Makes a connection that isn't open yet: `Database.createClient`. */
  readonly createClient: () => Client;
  /** Called when a job was queued, here or elsewhere. */
  readonly onJob: () => void;
  readonly logger: Logger;
}

/**
 * A worker's sign of life: a connection of its own that holds an advisory lock, which Postgres frees the moment the worker
 * is gone, however it went. Lease tokens begin with the lock's number, so whoever finds an item can tell whether its
 * holder lives, without waiting for the lease to end. When the connection breaks, the next `connect` takes the same lock again: what
 * nobody took over meanwhile stays the worker's.
 */
export class WorkerPresence {
  readonly #options: WorkerPresenceOptions;
  #client: Client | null = null;
  #connecting: Promise<void> | null = null;
  #identity = randomBytes(8);
  readonly #identities = new Set<bigint>();
  #wasConnected = false;
  #reconnectedAt: number | null = null;

  constructor(options: WorkerPresenceOptions) {
    this.#options = options;
  }

  /** Does nothing while the connection lives. Await it before claiming; many may ask at once. */
  connect(): Promise<void> {
    if (this.#client !== null) return Promise.resolve();
    this.#connecting ??= this.#open().finally(() => (this.#connecting = null));
    return this.#connecting;
  }

  async #open(): Promise<void> {
    const { createClient, onJob, logger } = this.#options;
    const client = createClient();
    const lose = (): void => {
      if (this.#client !== client) return;
      this.#client = null;
      logger.warn("The worker's database connection was lost.");
    };
    client.on('error', lose);
    client.on('end', lose);
    client.on('notification', onJob);
    try {
      await client.connect();
      while (!(await this.#lock(client))) this.#identity = randomBytes(8);
      this.#identities.add(this.#identity.readBigInt64BE());
      await client.query(`LISTEN ${JOB_CHANNEL}`);
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
    this.#client = client;
    this.#reconnectedAt = this.#wasConnected ? performance.now() : null;
    this.#wasConnected = true;
  }

  /** False: the server hasn't noticed yet that the connection before is gone. */
  async #lock(client: Client): Promise<boolean> {
    const { rows } = await client.query<{ locked: boolean }>(
      'SELECT pg_try_advisory_lock($1) AS locked',
      [this.#identity.readBigInt64BE()],
    );
    return rows[0]?.locked === true;
  }

  /** The locks that it has or had: what they name is its own, also while its connection is broken. */
  get locks(): readonly bigint[] {
    return [...this.#identities];
  }

  /** Whether the database was away a moment ago: other workers may live, and not have their locks again. */
  get isJustBack(): boolean {
    return this.#reconnectedAt !== null && performance.now() - this.#reconnectedAt < SETTLING_MS;
  }

  newLeaseToken(): string {
    const hex = Buffer.concat([this.#identity, randomBytes(8)]).toString('hex');
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  }

  /**
   * Makes this worker the one that plans a job; call what it gives when the plan is there, or has failed. Null: another
   * worker plans it. A planner that dies leaves it to the next. Ask once at a time: a worker isn't kept from its own jobs.
   */
  async startPlanning(jobId: JobId): Promise<(() => Promise<void>) | null> {
    const client = this.#client;
    if (client === null) return null;
    const lock = [`plan of ${jobId}`];
    const { rows } = await client.query<{ locked: boolean }>(
      'SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS locked',
      lock,
    );
    if (rows[0]?.locked !== true) return null;
    return async () => {
      await client
        .query('SELECT pg_advisory_unlock(hashtextextended($1, 0))', lock)
        .catch(() => undefined);
    };
  }

  async close(): Promise<void> {
    const client = this.#client;
    this.#client = null;
    await client?.end();
  }
}
