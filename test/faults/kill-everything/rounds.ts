import { setTimeout as pause } from 'node:timers/promises';
import type { Pool } from 'pg';
import { encodeNodeId, idOf } from '../../../api/node-ids.ts';
import type { GraphqlClient } from './graphql-client.ts';
import { patientRows } from './patient-query.ts';
import type { Photos } from './photos.ts';

export interface RoundsOptions {
  readonly client: GraphqlClient;
  readonly pool: Pool;
  readonly photos: Photos;
  readonly collection: string;
  /** Vision spaces to go through in turn, the first live one first. */
  readonly spaces: readonly string[];
  /** New photos of the first round; later ones add a quarter. */
  readonly photosOfRound: number;
}

const LOOK_EVERY_MS = 200;
/** Without any item coming to its end. */
const STUCK_AFTER_MS = 180_000;

/** Ingest, reindex into the next vision space, promote; and again, so that every kill meets work. */
export class Rounds {
  readonly #options: RoundsOptions;
  #round = 0;
  /** What is being done now. */
  phase = 'start';

  constructor(options: RoundsOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#round;
  }

  /** Ends with the round in which the signal fires. */
  async run(signal: AbortSignal): Promise<void> {
    const { photos, photosOfRound, spaces } = this.#options;
    while (!signal.aborted) {
      await photos.add(this.#round === 0 ? photosOfRound : Math.ceil(photosOfRound / 4));
      this.#round++;
      this.phase = 'ingest';
      await this.#finish(await this.#start('startIngest', {}));
      this.phase = 'reindex';
      const visionSpace = spaces[this.#round % spaces.length];
      const job = await this.#start('startReindex', { visionSpace });
      await this.#finish(job);
      this.phase = 'promote';
      await this.#promote(job);
    }
    this.phase = 'done';
  }

  /** Gives the job's id. */
  async #start(field: string, input: object): Promise<string> {
    const { client, collection } = this.#options;
    const idempotencyKey = `${field} ${this.#round}`;
    const payload = await client.mutate<{ job: { id: string } | null }>(
      field,
      { collection, idempotencyKey, ...input },
      { selection: 'job { id }' },
    );
    const id = idOf('Job', payload.job?.id ?? '');
    if (id === null) throw new Error(`${field}: ${JSON.stringify(payload.userErrors)}`);
    return id;
  }

  async #finish(job: string): Promise<void> {
    const { pool } = this.#options;
    let [open, since] = ['', performance.now()];
    for (;;) {
      const [row] = await patientRows<{ state: string; open: string }>(
        pool,
        `SELECT state, (SELECT count(*) FROM job_items i WHERE i.job_id = j.id AND i.state IN ('PENDING', 'RUNNING')) AS open
         FROM jobs j WHERE id = $1`,
        [job],
      );
      const { state = 'gone' } = row ?? {};
      if (state === 'SUCCEEDED') return;
      if (!['PLANNED', 'QUEUED', 'RUNNING'].includes(state))
        throw new Error(`The job is ${state}.`);
      if (row?.open !== open) [open, since] = [row?.open ?? '', performance.now()];
      const isStuck = performance.now() - since > STUCK_AFTER_MS;
      if (isStuck) throw new Error(`The ${this.phase} is stuck: ${state}, ${open} items open.`);
      await pause(LOOK_EVERY_MS);
    }
  }

  async #promote(job: string): Promise<void> {
    const { client, pool } = this.#options;
    const [built] = await patientRows<{ id: string; state: string; checks: unknown }>(
      pool,
      'SELECT id, state, checks FROM generations WHERE job_id = $1',
      [job],
    );
    // RETIRED: it was live two rounds ago, is kept, and got its vectors replaced one by one.
    if (built?.state !== 'READY' && built?.state !== 'RETIRED') {
      throw new Error(`The generation is ${built?.state}: ${JSON.stringify(built?.checks)}`);
    }
    const { userErrors } = await client.mutate(
      'promoteGeneration',
      { id: encodeNodeId('Generation', built.id) },
      { selection: 'generation { state }' },
    );
    const [now] = await patientRows<{ state: string }>(
      pool,
      'SELECT state FROM generations WHERE id = $1',
      [built.id],
    );
    // CONFLICT alone may be an answer that was lost, and the request repeated.
    if (now?.state !== 'LIVE') throw new Error(`Not promoted: ${JSON.stringify(userErrors)}`);
  }
}
