import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Decoder } from './decode.ts';
import { hexOf } from '../../store/embeddings.ts';

/** Longest side in pixels; smaller pictures are not enlarged. */
export const THUMBNAIL_SIDES = { SMALL: 160, MEDIUM: 320, LARGE: 1280 } as const;

export type ThumbnailSize = keyof typeof THUMBNAIL_SIDES;

/**
 * WebP thumbnails by the hash of the original's bytes. Derived: the folder may be deleted at any time, and what is
 * missing is made from the original when it is asked for.
 */
export class ThumbnailStore {
  readonly #folder: string;
  readonly #making = new Map<string, Promise<void>>();

  constructor(dataFolder: string) {
    this.#folder = join(dataFolder, 'thumbnails');
  }

  pathOf(sha256: Uint8Array, size: ThumbnailSize): string {
    const hash = hexOf(sha256);
    return join(this.#folder, size.toLowerCase(), hash.slice(0, 2), `${hash}.webp`);
  }

  /** Its file, or null when it isn't made yet. An empty one is what a power cut left. */
  async find(sha256: Uint8Array, size: ThumbnailSize): Promise<string | null> {
    const path = this.pathOf(sha256, size);
    const bytes = await stat(path).then(
      (stats) => stats.size,
      () => 0,
    );
    return bytes > 0 ? path : null;
  }

  /**
   * Its file, made from the original if it is missing. Throws `UnreadableImage`; `CHANGED_WHILE_READ` when the original
   * has other bytes by now.
   */
  async get(
    { sha256, original, size }: ThumbnailOrder,
    decoder: Pick<Decoder, 'decode'>,
    signal?: AbortSignal,
  ): Promise<string> {
    const found = await this.find(sha256, size);
    if (found !== null) return found;
    const file = this.pathOf(sha256, size);
    const making = this.#making.get(file) ?? this.#make(file, { sha256, original, size }, decoder);
    this.#making.set(file, making);
    await making;
    signal?.throwIfAborted();
    return file;
  }

  async #make(
    file: string,
    { sha256, original, size }: ThumbnailOrder,
    decoder: Pick<Decoder, 'decode'>,
  ): Promise<void> {
    try {
      const thumbnail = { file, side: THUMBNAIL_SIDES[size] };
      await decoder.decode({ path: original }, { thumbnail, expectedSha256: hexOf(sha256) });
    } finally {
      this.#making.delete(file);
    }
  }
}

export interface ThumbnailOrder {
  readonly sha256: Uint8Array;
  /** Absolute path of the original (`locateImage`). */
  readonly original: string;
  readonly size: ThumbnailSize;
}
