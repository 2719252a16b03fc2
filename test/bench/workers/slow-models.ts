import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Bundle } from '../../../models/bundle.ts';
import { normalize, type Embedding } from '../../../models/embedding.ts';
import type { VisionModel } from '../../../models/loaded-models.ts';
import type { JobServices } from '../../../indexer/jobs/index.ts';

const TINY_BUNDLE = new URL('../../fixtures/tiny-bundle', import.meta.url).pathname;

/**
 * Models whose vision encoder takes a fixed time a photo and one photo at a time, as one device would. It waits and doesn't reckon: two
 * workers then differ from one as two devices do, however many cores this machine has.
 */
export class SlowModels {
  readonly main: Bundle;
  /** How often each photo was encoded, by the hash of its pixels. */
  readonly encodings = new Map<string, number>();
  readonly #msPerPhoto: number;
  #busy: Promise<void> = Promise.resolve();

  private constructor(main: Bundle, msPerPhoto: number) {
    this.main = main;
    this.#msPerPhoto = msPerPhoto;
  }

  static async open(msPerPhoto: number): Promise<SlowModels & JobServices['models']> {
    return new SlowModels(await Bundle.open(TINY_BUNDLE), msPerPhoto);
  }

  bundles(): Promise<readonly Bundle[]> {
    return Promise.resolve([this.main]);
  }

  findText(): Promise<null> {
    return Promise.resolve(null);
  }

  findVision(visionSpace: string): Promise<VisionModel> {
    const { input, dimensions } = this.main.manifest.vision;
    const encodePixels = (pixels: readonly Uint8Array[]): Promise<Embedding[]> =>
      this.#encode(pixels, dimensions);
    const encoder = () => Promise.resolve({ dimensions, encodePixels });
    return Promise.resolve({ visionSpace, dimensions, input, encoder });
  }

  async #encode(pixels: readonly Uint8Array[], dimensions: number): Promise<Embedding[]> {
    const before = this.#busy;
    const encoding = before.then(() => pause(pixels.length * this.#msPerPhoto));
    this.#busy = encoding;
    await encoding;
    return pixels.map((one) => {
      const hash = createHash('sha256').update(one).digest();
      const name = hash.toString('hex');
      this.encodings.set(name, (this.encodings.get(name) ?? 0) + 1);
      return normalize(Float32Array.from(hash.subarray(0, dimensions), (byte) => byte - 127.5));
    });
  }
}
