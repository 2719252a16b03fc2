import { LRUCache } from 'lru-cache';
import { PlatformError } from '../../platform/errors.ts';
import { chunk } from '../../platform/chunk.ts';
import type { Embedding } from '../../models/embedding.ts';
import type { EncodeOptions } from '../../models/image-encoder.ts';

/** What the cache needs of a text model; `TextEncoder` is one. */
export interface TextEncoding {
  readonly textModel: string;
  readonly visionSpace: string;
  readonly dimensions: number;
  /** Around a class name's `{}`. */
  readonly templates: readonly string[];
  encode(
    texts: readonly string[],
    options?: EncodeOptions,
  ): Promise<readonly { readonly embedding: Embedding }[]>;
  encodeClasses(names: readonly string[]): Promise<readonly Embedding[]>;
}

export const MAX_TEXT_LENGTH = 2000;
/** Texts kept: some 20 MB at 384 dimensions. */
const MOST_CACHED = 10_000;
/** Texts that are encoded together when they wait at the same time. */
const MOST_TOGETHER = 32;

interface Waiting {
  readonly text: string;
  readonly resolve: (embedding: Embedding) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Texts to embeddings, each once: what was asked before comes from memory, what is being asked is shared, and what waits while
 * the text model is busy goes through it together.
 */
export class TextEmbeddings {
  readonly #encoder: TextEncoding;
  readonly #texts = new LRUCache<string, Promise<Embedding>>({ max: MOST_CACHED });
  readonly #classes = new LRUCache<string, Promise<Embedding>>({ max: MOST_CACHED });
  readonly #waiting: Waiting[] = [];
  readonly #parallel: number;
  #running = 0;

  /** `parallel`: batches under way at once, one a session. */
  constructor(encoder: TextEncoding, parallel = 1) {
    this.#encoder = encoder;
    this.#parallel = parallel;
  }

  /** Fingerprint of the text model. */
  get textModel(): string {
    return this.#encoder.textModel;
  }

  /** Fingerprint of the vision space it was trained for. */
  get visionSpace(): string {
    return this.#encoder.visionSpace;
  }

  get dimensions(): number {
    return this.#encoder.dimensions;
  }

  get templates(): readonly string[] {
    return this.#encoder.templates;
  }

  /** Many texts past the cache, a few at a time, so that searches get their turn between them. Throws as `encode` does, and `ABORTED`. */
  async encodeMany(
    texts: readonly string[],
    options: EncodeOptions = {},
  ): Promise<readonly { readonly embedding: Embedding }[]> {
    const encoded: { readonly embedding: Embedding }[] = [];
    for (const some of chunk(texts, MOST_TOGETHER)) {
      encoded.push(...(await this.#encoder.encode(some, options)));
    }
    return encoded;
  }

  /** Throws `EMPTY_TEXT`, `BAD_USER_INPUT` for one that is too long, `ENCODER_UNAVAILABLE`. */
  async encode(text: string): Promise<Embedding> {
    if (text.length > MAX_TEXT_LENGTH) {
      const message = `A text has at most ${MAX_TEXT_LENGTH} characters, not ${text.length}.`;
      throw new PlatformError('BAD_USER_INPUT', message);
    }
    const key = text.trim().normalize('NFC');
    return remember(this.#texts, key, () => this.#enqueue(key));
  }

  /** Whether the text model still answers, past the cache. Throws `ENCODER_UNAVAILABLE`. Price: a short text. */
  async checkAlive(): Promise<void> {
    await this.#encoder.encode(['a']);
  }

  /** Begins to encode a text that is going to be asked for, while other things are looked up. */
  begin(text: string): void {
    this.encode(text).catch(() => undefined); // whoever asks for it is told
  }

  /** A class's embedding through the templates, in the order of `names`. */
  encodeClasses(names: readonly string[]): Promise<readonly Embedding[]> {
    const missing = [...new Set(names)].filter((name) => !this.#classes.has(name));
    if (missing.length > 0) {
      const encoding = this.#encoder.encodeClasses(missing);
      missing.forEach((name, i) => {
        void remember(this.#classes, name, async () => at(await encoding, i)).catch(
          () => undefined,
        );
      });
    }
    return Promise.all(
      names.map((name) =>
        remember(this.#classes, name, async () => at(await this.#encoder.encodeClasses([name]), 0)),
      ),
    );
  }

  #enqueue(text: string): Promise<Embedding> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ text, resolve, reject });
      // In the next turn: requests that came in together are taken together.
      setImmediate(() => void this.#run());
    });
  }

  async #run(): Promise<void> {
    if (this.#running >= this.#parallel || this.#waiting.length === 0) return;
    this.#running++;
    const batch = this.#waiting.splice(0, MOST_TOGETHER);
    try {
      const encoded = await this.#encoder.encode(batch.map(({ text }) => text));
      batch.forEach(({ resolve }, i) => {
        resolve(at(encoded, i).embedding);
      });
    } catch (error) {
      await this.#runAlone(batch, error);
    } finally {
      this.#running--;
      void this.#run();
    }
  }

  /** One bad text must not fail those it came with. */
  async #runAlone(batch: readonly Waiting[], error: unknown): Promise<void> {
    if (batch.length === 1) {
      batch[0]?.reject(error);
      return;
    }
    for (const { text, resolve, reject } of batch) {
      try {
        resolve(at(await this.#encoder.encode([text]), 0).embedding);
      } catch (reason) {
        reject(reason);
      }
    }
  }
}

/** Failures are not remembered. */
function remember(
  cache: LRUCache<string, Promise<Embedding>>,
  key: string,
  encode: () => Promise<Embedding>,
): Promise<Embedding> {
  const found = cache.get(key);
  if (found) return found;
  const encoding = encode();
  cache.set(key, encoding);
  encoding.catch(() => {
    if (cache.peek(key) === encoding) cache.delete(key);
  });
  return encoding;
}

function at<T>(items: readonly T[], index: number): T {
  const item = items[index];
  if (item === undefined) throw new Error('Fewer embeddings than texts.');
  return item;
}
