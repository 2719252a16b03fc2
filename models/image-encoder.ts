import { availableParallelism } from 'node:os';
import { chunk } from '../platform/chunk.ts';
import { PlatformError, throwIfAborted } from '../platform/errors.ts';
import { WorkerPool } from '../platform/worker-pool.ts';
import type { Bundle } from './bundle.ts';
import { splitEmbeddings, type Embedding } from './embedding.ts';
import type { EncoderRequest, EncoderResponse, EncoderWorkerData } from './encoder-protocol.ts';
import { preprocessImage, type ImageSource, type View } from './image-preprocessing.ts';
import type { ImageInput } from './manifest.ts';

/** Photos of one run of the vision graph. More gains nothing on a processor and takes memory. */
const BATCH_SIZE = 8;

export interface EncoderOptions {
  /** Sessions, each in a thread of its own. Default: one a core. Price: each holds the weights once more. */
  readonly sessions?: number;
}

export interface EncodeOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called after each batch with how many more are done. */
  readonly onProgress?: ((done: number) => void) | undefined;
}

/** A photo's embedding, or why it has none. */
export type EncodedImage =
  | { readonly embedding: Embedding; readonly error?: never }
  | { readonly embedding?: never; readonly error: PlatformError };

/** Photos to unit vectors in the shared space: decode, preprocess, vision backbone, fixed map, normalize. */
export class ImageEncoder {
  /** Width of the shared space. */
  readonly dimensions: number;
  /** Fingerprint of the vision space. */
  readonly visionSpace: string;
  readonly #pool: WorkerPool<EncoderRequest, EncoderResponse>;
  readonly #input: ImageInput;

  private constructor(bundle: Bundle, pool: WorkerPool<EncoderRequest, EncoderResponse>) {
    this.dimensions = bundle.manifest.vision.dimensions;
    this.visionSpace = bundle.visionSpace;
    this.#input = bundle.manifest.vision.input;
    this.#pool = pool;
  }

  /** Loads and warms the sessions. Throws `INVALID_BUNDLE` or `DIMENSION_MISMATCH`. */
  static async load(bundle: Bundle, { sessions }: EncoderOptions = {}): Promise<ImageEncoder> {
    const { folder, manifest } = bundle;
    const pool = await WorkerPool.start<EncoderRequest, EncoderResponse>({
      script: new URL('./encoder-worker.ts', import.meta.url),
      size: sessions ?? availableParallelism(),
      data: { folder, manifest, part: 'vision' } satisfies EncoderWorkerData,
    });
    return new ImageEncoder(bundle, pool);
  }

  /** One photo. Throws `IMAGE_UNREADABLE`, `NON_FINITE_OUTPUT`, `ABORTED`. */
  async encode(source: ImageSource, { signal }: EncodeOptions = {}): Promise<Embedding> {
    const [embedding] = await this.encodePixels([await this.preprocess(source)], { signal });
    if (!embedding) throw new Error('One photo in, no embedding out.');
    return embedding;
  }

  /** uint8 [height, width, 3], as `encodePixels` takes it. */
  preprocess(source: ImageSource, view?: View): Promise<Uint8Array<ArrayBuffer>> {
    return preprocessImage(source, this.#input, view);
  }

  /** Photos that are decoded already (`preprocess`), in order; throws on the first that fails. */
  async encodePixels(
    pixels: readonly Uint8Array[],
    options: EncodeOptions = {},
  ): Promise<Embedding[]> {
    const batches = chunk(pixels, BATCH_SIZE).map((batch) => this.#runBatch(batch, options));
    return (await Promise.all(batches)).flat();
  }

  /**
   * Many photos, in order; a photo that can't be read has its reason instead. Decoding runs ahead of the sessions by
   * a few batches, so both are busy and memory stays flat.
   */
  async encodeAll(
    sources: readonly { readonly image: ImageSource; readonly view?: View }[],
    options: EncodeOptions = {},
  ): Promise<EncodedImage[]> {
    const batches = chunk(sources, BATCH_SIZE);
    const results: EncodedImage[][] = [];
    let next = 0;
    const runLane = async (): Promise<void> => {
      for (let i = next++; i < batches.length; i = next++) {
        throwIfAborted(options.signal);
        results[i] = await this.#decodeAndRun(batches[i] ?? [], options);
        options.onProgress?.(batches[i]?.length ?? 0);
      }
    };
    await Promise.all(Array.from({ length: this.#pool.size + 2 }, runLane));
    return results.flat();
  }

  /** Frees the sessions; calls in progress fail with `ENCODER_UNAVAILABLE`. */
  dispose(): Promise<void> {
    return this.#pool.close();
  }

  async #decodeAndRun(
    sources: readonly { readonly image: ImageSource; readonly view?: View }[],
    { signal }: EncodeOptions,
  ): Promise<EncodedImage[]> {
    const decoded = await Promise.all(
      sources.map(({ image, view }) => this.preprocess(image, view).catch(asUnreadable)),
    );
    const pixels = decoded.filter((one) => one instanceof Uint8Array);
    const embeddings = await this.#runBatch(pixels, { signal });
    return decoded.map((one) => {
      if (one instanceof PlatformError) return { error: one };
      const embedding = embeddings.shift();
      if (!embedding) throw new Error('Fewer embeddings than photos.');
      return { embedding };
    });
  }

  async #runBatch(pixels: readonly Uint8Array[], { signal }: EncodeOptions): Promise<Embedding[]> {
    if (pixels.length === 0) return [];
    const { width, height } = this.#input;
    const data = new Uint8Array(pixels.length * width * height * 3);
    pixels.forEach((image, i) => {
      if (image.length !== width * height * 3) {
        const want = `uint8 [${height}, ${width}, 3]`;
        throw new PlatformError(
          'DIMENSION_MISMATCH',
          `Pixels must be ${want}, got ${image.length} bytes.`,
        );
      }
      data.set(image, i * image.length);
    });
    const request: EncoderRequest = { kind: 'pixels', count: pixels.length, data };
    return splitEmbeddings(
      await this.#pool.run(request, { signal, transfer: [data.buffer] }),
      this.dimensions,
    );
  }
}

function asUnreadable(error: unknown): PlatformError {
  if (error instanceof PlatformError) return error;
  throw error;
}
