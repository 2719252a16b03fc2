import type { Bundle } from './bundle.ts';
import type { BundleCatalog } from './bundle-catalog.ts';
import { ImageEncoder } from './image-encoder.ts';
import type { ImageInput } from './manifest.ts';
import { TextEncoder } from './text-encoder.ts';

/** What embeds photos into one vision space. */
export interface VisionModel {
  /** Fingerprint of the vision space. */
  readonly visionSpace: string;
  readonly dimensions: number;
  readonly input: ImageInput;
  /** Loaded at its first use. */
  readonly encoder: () => Promise<Pick<ImageEncoder, 'encodePixels' | 'dimensions'>>;
}

/** What workers and servers need of the models there are. */
export interface Models {
  /** The bundle that new collections begin with. */
  readonly main: Bundle;
  /** All of them, `main` included. */
  bundles(): Promise<readonly Bundle[]>;
  findVision(visionSpace: string): Promise<VisionModel | null>;
  findText(textModel: string): Promise<TextModel | null>;
}

/** What encodes texts and class names; `TextEncoder` is one. */
export type TextModel = Pick<TextEncoder, 'encode' | 'templates' | 'dimensions'>;

export interface LoadedModelsOptions {
  /** Vision sessions of each model. Default: one a core. Price: each holds the weights once more. */
  readonly visionSessions?: number;
  /** Text sessions of each model. Default: one a core. */
  readonly textSessions?: number;
}

/** The models of a catalog's bundles, each loaded at its first use and kept until `close`. */
export class LoadedModels implements Models {
  readonly #catalog: BundleCatalog;
  readonly #options: LoadedModelsOptions;
  readonly #images = new Map<string, Promise<ImageEncoder>>();
  readonly #texts = new Map<string, Promise<TextEncoder>>();

  constructor(catalog: BundleCatalog, options: LoadedModelsOptions = {}) {
    this.#catalog = catalog;
    this.#options = options;
  }

  get main(): Bundle {
    return this.#catalog.main;
  }

  bundles(): Promise<readonly Bundle[]> {
    return this.#catalog.all();
  }

  /** Null: no bundle here embeds into it. */
  async findVision(visionSpace: string): Promise<VisionModel | null> {
    const bundle = await this.#catalog.findByVisionSpace(visionSpace);
    if (bundle === null) return null;
    const { input, dimensions } = bundle.manifest.vision;
    const sessions = this.#options.visionSessions;
    const encoder = (): Promise<ImageEncoder> =>
      once(this.#images, visionSpace, () =>
        ImageEncoder.load(bundle, sessions === undefined ? {} : { sessions }),
      );
    return { visionSpace, dimensions, input, encoder };
  }

  /** Null: no bundle here has it. */
  async findText(textModel: string): Promise<TextEncoder | null> {
    const found = this.#texts.get(textModel);
    if (found) return found;
    const bundle = await this.#catalog.findByTextModel(textModel);
    if (bundle?.manifest.projector === undefined) return null;
    const sessions = this.#options.textSessions;
    return once(this.#texts, textModel, () =>
      TextEncoder.load(bundle, sessions === undefined ? {} : { sessions }),
    );
  }

  async close(): Promise<void> {
    const loading = [...this.#images.values(), ...this.#texts.values()];
    this.#images.clear();
    this.#texts.clear();
    for (const result of await Promise.allSettled<ImageEncoder | TextEncoder>(loading)) {
      if (result.status === 'fulfilled') await result.value.dispose();
    }
  }
}

/** What failed to load is tried again at the next use. */
function once<T>(kept: Map<string, Promise<T>>, name: string, load: () => Promise<T>): Promise<T> {
  const found = kept.get(name);
  if (found) return found;
  const loading = load();
  kept.set(name, loading);
  loading.catch(() => kept.delete(name));
  return loading;
}
