import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Pool } from 'pg';
import { encodeNodeId, idOf } from '../../../api/node-ids.ts';
import type { Random } from '../../../platform/random.ts';
import type { GraphqlClient } from './graphql-client.ts';
import { patientRows } from './patient-query.ts';
import type { Photos } from './photos.ts';

/** Numbers of pictures that no folder has. */
const FIRST_UPLOAD = 10_000_000;
const SHARE_OF_DELETES = 0.3;
/** Between two requests. */
const [SHORTEST_MS, LONGEST_MS] = [300, 1500];

export interface VisitorsOptions {
  readonly client: GraphqlClient;
  readonly pool: Pool;
  readonly photos: Photos;
  readonly collection: string;
  readonly random: Random;
}

/** People who upload single pictures and delete some of them, all the while. */
export class Visitors {
  readonly #options: VisitorsOptions;
  readonly #jobs: string[] = [];
  readonly #kept = new Set<string>();
  readonly #deletedImages: string[] = [];
  #count = 0;

  constructor(options: VisitorsOptions) {
    this.#options = options;
  }

  /** What the API has said was done. */
  acknowledged(): {
    readonly jobs: readonly string[];
    /** Hashes of uploads nobody deleted. */
    readonly kept: readonly string[];
    readonly deletedImages: readonly string[];
  } {
    const { length } = this.#deletedImages;
    return {
      jobs: [...this.#jobs],
      kept: [...this.#kept],
      deletedImages: this.#deletedImages.slice(0, length),
    };
  }

  async run(signal: AbortSignal): Promise<void> {
    const { random } = this.#options;
    while (!signal.aborted) {
      if (random.uniform() < SHARE_OF_DELETES) await this.#delete();
      else await this.#upload();
      const waitMs = SHORTEST_MS + random.below(LONGEST_MS - SHORTEST_MS);
      await pause(waitMs, undefined, { signal }).catch(() => undefined);
    }
  }

  async #upload(): Promise<void> {
    const { client, photos, collection } = this.#options;
    const number = FIRST_UPLOAD + this.#count++;
    const bytes = await photos.bytesOf(number);
    const { job } = await client.mutate<{ job: { id: string } | null }>(
      'uploadImages',
      { collection, files: [null], idempotencyKey: `upload ${number}` },
      { selection: 'job { id }', upload: { name: `${number}.jpg`, bytes } },
    );
    const id = idOf('Job', job?.id ?? '');
    if (id === null) throw new Error('An upload was refused.');
    this.#jobs.push(id);
    this.#kept.add(createHash('sha256').update(bytes).digest('hex'));
  }

  /** The oldest upload that is indexed. */
  async #delete(): Promise<void> {
    const { client, pool } = this.#options;
    const [found] = await patientRows<{ id: string; hash: string }>(
      pool,
      `SELECT id, encode(sha256, 'hex') AS hash FROM images WHERE source_id IS NULL AND encode(sha256, 'hex') = ANY($1)
       ORDER BY id LIMIT 1`,
      [[...this.#kept]],
    );
    if (found === undefined) return;
    const { userErrors } = await client.mutate(
      'deleteImages',
      { ids: [encodeNodeId('Image', found.id)] },
      { selection: 'deletedImageIds' },
    );
    // NOT_FOUND: an answer was lost, and the request repeated.
    const isRefused = userErrors.some(({ code }) => code !== 'NOT_FOUND');
    if (isRefused) throw new Error(`A deletion was refused: ${JSON.stringify(userErrors)}`);
    this.#kept.delete(found.hash);
    this.#deletedImages.push(found.id);
  }
}
