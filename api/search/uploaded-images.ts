import { buffer } from 'node:stream/consumers';
import type { FileUpload } from 'graphql-upload/processRequest.mjs';
import { messageOf, PlatformError } from '../../platform/errors.ts';
import type { Embedding } from '../../models/embedding.ts';
import type { Models } from '../../models/loaded-models.ts';
import type { ImageInput } from '../../models/manifest.ts';
import type { DecodedImage, Decoder } from '../../indexer/ingest/decode.ts';
import { UnreadableImage } from '../../indexer/ingest/reasons.ts';

export interface UploadedImagesOptions {
  /** In a process of its own, which bad bytes may kill. */
  readonly decoder: Pick<Decoder, 'decode'>;
  readonly models: Pick<Models, 'findVision'>;
}

export interface UploadedImage {
  /** 64 hex digits. */
  readonly sha256: string;
  readonly embedding: Embedding;
}

/** Pictures that come with a question and are not stored. */
export class UploadedImages {
  readonly #options: UploadedImagesOptions;
  readonly #lanes: Promise<unknown>[] = [Promise.resolve(), Promise.resolve()];
  #next = 0;

  constructor(options: UploadedImagesOptions) {
    this.#options = options;
  }

  /** Throws `IMAGE_UNREADABLE` with the reason, and `MODEL_MISMATCH` when no bundle here embeds into the vision space. */
  async encode(
    upload: Promise<FileUpload>,
    visionSpace: string,
    signal: AbortSignal,
  ): Promise<UploadedImage> {
    const vision = await this.#options.models.findVision(visionSpace);
    if (vision === null) throw notLoaded();
    const { pixels, sha256 } = await this.#inTurn(async () =>
      this.#decode(await readUpload(await upload), vision.input, signal),
    );
    if (pixels === null) throw new Error('A decoder left the pixels out.');
    const [embedding] = await (await vision.encoder()).encodePixels([pixels], { signal });
    if (!embedding) throw new Error('One photo in, no embedding out.');
    return { sha256: Buffer.from(sha256).toString('hex'), embedding };
  }

  /** At most two are in memory at once; the others wait on the disk. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const lane = this.#next++ % this.#lanes.length;
    const done = (this.#lanes[lane] ?? Promise.resolve()).then(work);
    this.#lanes[lane] = done.catch(() => undefined);
    return done;
  }

  async #decode(bytes: Uint8Array, input: ImageInput, signal: AbortSignal): Promise<DecodedImage> {
    const { decoder } = this.#options;
    try {
      return await decoder.decode({ bytes }, { input }, signal);
    } catch (cause) {
      if (!(cause instanceof UnreadableImage)) throw cause;
      throw new PlatformError('IMAGE_UNREADABLE', messageOf(cause), { cause });
    }
  }
}

function notLoaded(): PlatformError {
  const message =
    "Pictures can't be looked at: no model bundle of this server embeds into the collection's vision space.";
  return new PlatformError('MODEL_MISMATCH', message);
}

async function readUpload({ createReadStream }: FileUpload): Promise<Buffer> {
  try {
    return await buffer(createReadStream());
  } catch (cause) {
    throw uploadBroken(cause);
  }
}

/** The connection broke, or the file is larger than allowed. */
export function uploadBroken(cause: unknown): PlatformError {
  const message = 'The upload did not arrive whole: at most 64 MB a file.';
  return new PlatformError('BAD_USER_INPUT', message, { cause });
}
