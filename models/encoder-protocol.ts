import type { Manifest } from './manifest.ts';

/** What an encoder worker is started with. It reads and checks the bundle's files itself. */
export interface EncoderWorkerData {
  readonly folder: string;
  readonly manifest: Manifest;
  readonly part: 'vision' | 'language' | 'text';
}

export type EncoderRequest =
  | {
      /** uint8 pixels, [count, height, width, 3], to embeddings. */
      readonly kind: 'pixels';
      readonly count: number;
      readonly data: Uint8Array;
    }
  | {
      /** Token ids, rows of `width`, each padded behind its length; to features or embeddings. */
      readonly kind: 'tokens';
      readonly ids: BigInt64Array;
      readonly lengths: readonly number[];
      readonly width: number;
      readonly output: 'features' | 'embedding';
    };

/** Row-major float32, one row a photo or text. */
export type EncoderResponse = Float32Array;
