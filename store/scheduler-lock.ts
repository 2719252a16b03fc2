import type { Client } from 'pg';
import type { Logger } from '../platform/logger.ts';

export interface SchedulerLockOptions {
  /** Makes a connection that isn't open yet: `Database.createClient`. */
  readonly createClient: () => Client;
  readonly logger: Logger;
}

/**
 * Makes one scheduler of a database's the one that acts: an advisory lock on a connection of its own, which Postgres frees
 * the moment its holder is gone, however it went.
 */
export class SchedulerLock {
  readonly #options: SchedulerLockOptions;
  #client: Client | null = null;
  #isHeld = false;

  constructor(options: SchedulerLockOptions) {
    this.#options = options;
  }

  /** Whether this one is it; if nobody is, it becomes it. Ask again and again. */
  async hold(): Promise<boolean> {
    this.#client ??= await this.#connect();
    if (this.#isHeld) return true;
    const { rows } = await this.#client.query<{ locked: boolean }>(
      "SELECT pg_try_advisory_lock(hashtextextended('scheduler', 0)) AS locked",
    );
    this.#isHeld = rows[0]?.locked === true;
    return this.#isHeld;
  }

  /** Leaves it to another. */
  async close(): Promise<void> {
    const client = this.#client;
    this.#forget();
    await client?.end();
  }

  async #connect(): Promise<Client> {
    const client = this.#options.createClient();
    const lose = (): void => {
      if (this.#client !== client) return;
      this.#forget();
      this.#options.logger.warn("The scheduler's database connection was lost.");
    };
    client.on('error', lose);
    client.on('end', lose);
    try {
      await client.connect();
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
    return client;
  }

  #forget(): void {
    this.#client = null;
    this.#isHeld = false;
  }
}
