import { LRUCache } from 'lru-cache';
import { PlatformError } from '../../platform/errors.ts';
import type { TextModelRecord } from '../../store/model-registry.ts';
import { TextEmbeddings, type TextEncoding } from './text-embeddings.ts';

export interface TextModelsOptions {
  /** Null: no bundle here has it. */
  readonly find: (fingerprint: string) => Promise<TextEncoding | null>;
  /** Batches under way at once in each. */
  readonly parallel: number;
}

type Named = Pick<TextModelRecord, 'name' | 'version' | 'fingerprint'>;

/** Collections whose text model is remembered, to begin with a text before the collection was looked up. */
const MOST_REMEMBERED = 1000;

/** The text models that this process searches with, each with its own cache and loaded at its first use. */
export class TextModels {
  readonly #options: TextModelsOptions;
  readonly #loaded = new Map<string, Promise<TextEmbeddings>>();
  readonly #ofCollection = new LRUCache<string, string>({ max: MOST_REMEMBERED });

  constructor(options: TextModelsOptions) {
    this.#options = options;
  }

  /** Throws `MODEL_MISMATCH` when no bundle here has it. */
  async get(model: Named): Promise<TextEmbeddings> {
    const found = this.#loaded.get(model.fingerprint);
    if (found) return found;
    const loading = this.#load(model);
    this.#loaded.set(model.fingerprint, loading);
    loading.catch(() => this.#loaded.delete(model.fingerprint));
    return loading;
  }

  /** Begins to encode a text with the model that the collection's last search took, while other things are looked up. */
  begin(collection: string, text: string): void {
    const fingerprint = this.#ofCollection.get(collection);
    const loaded = fingerprint === undefined ? undefined : this.#loaded.get(fingerprint);
    loaded?.then(
      (texts) => {
        texts.begin(text);
      },
      () => undefined,
    );
  }

  remember(collection: string, { fingerprint }: Named): void {
    this.#ofCollection.set(collection, fingerprint);
  }

  async #load({ fingerprint, name, version }: Named): Promise<TextEmbeddings> {
    const encoder = await this.#options.find(fingerprint);
    if (encoder !== null) return new TextEmbeddings(encoder, this.#options.parallel);
    const message = `No model bundle of this server has the text model ${name}@${version}: name it (MODEL_BUNDLE), or put it into BUNDLES_DIR.`;
    throw new PlatformError('MODEL_MISMATCH', message);
  }
}
