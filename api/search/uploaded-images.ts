import { buffer } from 'node:stream/consumers';
import type { FileUpload } from 'graphql-upload/processRequest.mjs';
import { PlatformError } from '../../platform/errors.ts';
import type { Embedding } from '../../models/embedding.ts';
import type { ImageEncoder } from '../../models/image-encoder.ts';
import type { Decoder } from '../../indexer/ingest/decode.ts';

export interface UploadedImagesOptions {
  /** In a process of its own, which bad bytes may kill. */
  readonly decoder: Pick<Decoder, 'decode'>;
  /** Loaded at its first use. */
  readonly encoder: () => Promise<Pick<ImageEncoder, 'encodePixels'>>;
}

export interface UploadedImage {
  readonly sha256: string;
  readonly embedding: Embedding;
}

/** Pictures that come with a question and are not stored. */
export class UploadedImages {
  readonly #options: UploadedImagesOptions;

  constructor(options: UploadedImagesOptions) {
    this.#options = options;
  }

  /** Throws `IMAGE_UNREADABLE` with the reason. */
  async encode(upload: Promise<FileUpload>, signal: AbortSignal): Promise<UploadedImage> {
    const { decoder, encoder } = this.#options;
    const bytes = await readUpload(await upload);
    const decoded = await decoder.decode({ bytes });
    const [embedding] = await (await encoder()).encodePixels([decoded.pixels], { signal });
    if (!embedding) throw new Error('One photo in, no embedding out.');
    return { sha256: Buffer.from(decoded.sha256).toString('hex'), embedding };
  }
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
