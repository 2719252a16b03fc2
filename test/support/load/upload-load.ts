import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { uploadPath } from '../../../indexer/ingest/uploads.ts';
import { messageOf } from '../../../platform/errors.ts';
import { ask, textAt, valuesAt } from '../graphql.ts';
import type { SearchTarget } from './search-load.ts';

const TIMEOUT_MS = 30_000;

const UPLOAD = `mutation ($input: UploadImagesInput!) {
  uploadImages(input: $input) { job { id } userErrors { message } }
}`;
const FIND = `query ($collection: String!, $path: String!) {
  images(collection: $collection, filter: { path: { equals: $path } }) { edges { node { id } } }
}`;
const DELETE = `mutation ($input: DeleteImagesInput!) {
  deleteImages(input: $input) { deletedImageIds userErrors { message } }
}`;

export interface UploadLoadOptions extends SearchTarget {
  /** JPEG files that uploads are made of. */
  readonly photos: readonly Uint8Array[];
  readonly everyMs: number;
}

/** Uploads a photo of its own every so often, and after every second one deletes the oldest that is indexed, at each API in turn. */
export class UploadLoad {
  /** Paths of uploads that were acknowledged. */
  readonly acknowledged = new Set<string>();
  /** Paths of those that were deleted again. */
  readonly deleted = new Set<string>();
  readonly failures: string[] = [];
  readonly #options: UploadLoadOptions;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;

  constructor(options: UploadLoadOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    for (let turn = 0; !signal.aborted; turn++) {
      const rest = pause(this.#options.everyMs, null, { signal }).catch(() => undefined);
      await this.#attempt(() => this.#upload(turn));
      if (turn % 2 === 1) await this.#attempt(() => this.#deleteOldest(turn));
      await rest;
    }
  }

  async #attempt(step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      this.failures.push(messageOf(error));
    }
  }

  async #upload(turn: number): Promise<void> {
    const { photos, collection } = this.#options;
    const bytes = withComment(photos[turn % photos.length] ?? new Uint8Array(), `upload ${turn}`);
    const name = `upload-${turn}.jpg`;
    const variables = { input: { collection, files: [null] } };
    const files = { 'variables.input.files.0': { name, bytes } };
    const answer = await this.#ask(turn, UPLOAD, { variables, files });
    textAt(answer, 'uploadImages.job.id');
    this.acknowledged.add(uploadPath(createHash('sha256').update(bytes).digest(), name));
  }

  async #deleteOldest(turn: number): Promise<void> {
    const { collection } = this.#options;
    const path = [...this.acknowledged].find((one) => !this.deleted.has(one));
    if (path === undefined) return;
    const found = await this.#ask(turn, FIND, { variables: { collection, path } });
    const ids = valuesAt(found, 'images.edges.node.id');
    if (ids.length === 0) return; // its job hasn't come to it yet
    // By the other API than the one that knows it.
    const answer = await this.#ask(turn + 1, DELETE, { variables: { input: { ids } } });
    const deleted = valuesAt(answer, 'deleteImages.deletedImageIds');
    if (deleted.length !== 1) throw new Error(`Not deleted: ${answer.text.slice(0, 500)}`);
    this.deleted.add(path);
  }

  async #ask(
    turn: number,
    document: string,
    options: Pick<Parameters<typeof ask>[2], 'variables' | 'files'>,
  ): ReturnType<typeof ask> {
    const { apis, key } = this.#options;
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const answer = await ask(apis[turn % apis.length] ?? '', document, { ...options, key, signal });
    if (answer.status === 200 && answer.codes.length === 0) return answer;
    throw new Error(`${answer.status}: ${answer.text.slice(0, 500)}`);
  }
}

/** The same picture in bytes of its own. */
function withComment(jpeg: Uint8Array, comment: string): Uint8Array {
  const text = Buffer.from(comment);
  const head = Buffer.from([0xff, 0xfe, 0, text.length + 2]); // after the marker that begins the file
  return Buffer.concat([jpeg.subarray(0, 2), head, text, jpeg.subarray(2)]);
}
