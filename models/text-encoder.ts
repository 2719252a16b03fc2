import { availableParallelism } from 'node:os';
import { chunk } from '../platform/chunk.ts';
import { PlatformError, throwIfAborted } from '../platform/errors.ts';
import { WorkerPool } from '../platform/worker-pool.ts';
import type { Bundle } from './bundle.ts';
import { meanEmbedding, splitEmbeddings, type Embedding } from './embedding.ts';
import type { EncoderRequest, EncoderResponse, EncoderWorkerData } from './encoder-protocol.ts';
import type { EncodeOptions, EncoderOptions } from './image-encoder.ts';
import { Tokenizer, type Tokens } from './tokenizer.ts';

/** Texts of one run of the language graph. Useful: 16 to 64; more only waits longer for its longest text. */
const BATCH_SIZE = 32;

export interface EncodedText {
  readonly embedding: Embedding;
  /** How many tokens were read. */
  readonly tokens: number;
  /** Whether the text was longer than the language model reads, and was cut. */
  readonly isTruncated: boolean;
}

interface Row extends Tokens {
  readonly index: number;
}

/** Texts to unit vectors in the shared space: tokenizer, decoder LLM, features, projector, normalize. */
export class TextEncoder {
  /** Width of the shared space. */
  readonly dimensions: number;
  /** Fingerprint of the text model. */
  readonly textModel: string;
  /** Fingerprint of the vision space the projector was trained for. */
  readonly visionSpace: string;
  readonly #pool: WorkerPool<EncoderRequest, EncoderResponse>;
  readonly #tokenizer: Tokenizer;
  /** Around a class name's `{}`. */
  readonly templates: readonly string[];
  readonly #featureWidth: number;

  private constructor(
    { manifest, textModel, visionSpace }: Bundle,
    tokenizer: Tokenizer,
    pool: WorkerPool<EncoderRequest, EncoderResponse>,
  ) {
    this.dimensions = manifest.vision.dimensions;
    this.textModel = textModel;
    this.visionSpace = visionSpace;
    this.#pool = pool;
    this.#tokenizer = tokenizer;
    this.templates = manifest.templates;
    this.#featureWidth = manifest.language.dimensions;
  }

  /**
   * Loads and warms the sessions. Throws `INVALID_BUNDLE` or `DIMENSION_MISMATCH`.
   * With `featuresOnly` the projector is not loaded (a bundle that is still to be trained has none).
   */
  static async load(
    bundle: Bundle,
    { sessions, featuresOnly = false }: EncoderOptions & { readonly featuresOnly?: boolean } = {},
  ): Promise<TextEncoder> {
    const { folder, manifest } = bundle;
    const tokenizer = await Tokenizer.load(bundle);
    const part = featuresOnly ? 'language' : 'text';
    const pool = await WorkerPool.start<EncoderRequest, EncoderResponse>({
      script: new URL('./encoder-worker.ts', import.meta.url),
      size: sessions ?? availableParallelism(),
      data: { folder, manifest, part } satisfies EncoderWorkerData,
    });
    return new TextEncoder(bundle, tokenizer, pool);
  }

  /** In order. Throws `EMPTY_TEXT` (naming which), `NON_FINITE_OUTPUT`, `ABORTED`. */
  async encode(texts: readonly string[], options: EncodeOptions = {}): Promise<EncodedText[]> {
    const rows = this.#tokenize(texts, options.signal);
    const encoded: EncodedText[] = [];
    await this.#runAll(rows, 'embedding', options, (batch, values) => {
      splitEmbeddings(values, this.dimensions).forEach((embedding, i) => {
        const row = batch[i];
        if (row)
          encoded[row.index] = { embedding, tokens: row.ids.length, isTruncated: row.isTruncated };
      });
    });
    return encoded;
  }

  /** Language features before the projector, float32 [texts, language dimensions] row by row. */
  async features(texts: readonly string[], options: EncodeOptions = {}): Promise<Float32Array> {
    const width = this.#featureWidth;
    const features = new Float32Array(texts.length * width);
    await this.#runAll(
      this.#tokenize(texts, options.signal),
      'features',
      options,
      (batch, values) => {
        batch.forEach(({ index }, i) => {
          features.set(values.subarray(i * width, (i + 1) * width), index * width);
        });
      },
    );
    if (!features.every(Number.isFinite)) {
      throw new PlatformError(
        'NON_FINITE_OUTPUT',
        'The language model gave a value that is not finite.',
      );
    }
    return features;
  }

  /** One embedding a class name: each template filled, embedded, averaged, normalized (CLIP's prompt ensemble). */
  async encodeClasses(names: readonly string[], options: EncodeOptions = {}): Promise<Embedding[]> {
    const prompts = names.flatMap((name) => fillTemplates(this.templates, name));
    const encoded = await this.encode(prompts, options);
    return chunk(encoded, this.templates.length).map((group) =>
      meanEmbedding(group.map(({ embedding }) => embedding)),
    );
  }

  /** Frees the sessions; calls in progress fail with `ENCODER_UNAVAILABLE`. */
  dispose(): Promise<void> {
    return this.#pool.close();
  }

  #tokenize(texts: readonly string[], signal: AbortSignal | undefined): Row[] {
    return texts.map((text, index) => {
      throwIfAborted(signal);
      try {
        return { index, ...this.#tokenizer.encode(text) };
      } catch (error) {
        if (!(error instanceof PlatformError) || texts.length === 1) throw error;
        throw new PlatformError(
          error.code,
          `Text ${index + 1} of ${texts.length}: ${error.message}`,
        );
      }
    });
  }

  /** Batches of like length, so that little is padding; all sessions busy. */
  async #runAll(
    rows: Row[],
    output: 'features' | 'embedding',
    { signal, onProgress }: EncodeOptions,
    use: (batch: readonly Row[], values: Float32Array) => void,
  ): Promise<void> {
    rows.sort((a, b) => b.ids.length - a.ids.length);
    const runs = chunk(rows, BATCH_SIZE).map(async (batch) => {
      const request = tokenRequest(batch, output);
      use(batch, await this.#pool.run(request, { signal, transfer: [request.ids.buffer] }));
      onProgress?.(batch.length);
    });
    await Promise.all(runs);
  }
}

/** A class name in each of the templates. */
export function fillTemplates(templates: readonly string[], name: string): readonly string[] {
  return templates.map((template) => template.replace('{}', () => name));
}

function tokenRequest(
  batch: readonly Row[],
  output: 'features' | 'embedding',
): Extract<EncoderRequest, { kind: 'tokens' }> & { ids: BigInt64Array<ArrayBuffer> } {
  const width = Math.max(...batch.map(({ ids }) => ids.length));
  const ids = new BigInt64Array(batch.length * width);
  batch.forEach((row, i) => {
    row.ids.forEach((id, j) => (ids[i * width + j] = BigInt(id)));
  });
  return { kind: 'tokens', ids, lengths: batch.map((row) => row.ids.length), width, output };
}
