/** What the decoder and its children send each other. */
import type { ImageInput } from '../../models/manifest.ts';
import type { ImageFormat } from '../../store/images.ts';
import type { PhotoMetadata } from './exif.ts';
import type { ReasonCode } from './reasons.ts';

/** Where the bytes are. A path may hold bytes that are no UTF-8, so it may come as bytes. */
export type DecodeSource = { readonly path: string } | { readonly bytes: Uint8Array };

export interface ThumbnailRequest {
  /** Where to write it; its folder is made. */
  readonly file: string;
  /** Longest side in pixels; smaller pictures are not enlarged. */
  readonly side: number;
}

export interface DecodeTask {
  /** The backbone's input; null: no pixels. */
  readonly input: ImageInput | null;
  readonly thumbnail: ThumbnailRequest | null;
  /** The bytes it must be, 64 hex digits; others are `CHANGED_WHILE_READ`. Null: any. */
  readonly expectedSha256: string | null;
  /** And XMP and IPTC. */
  readonly readsExif: boolean;
}

export interface Limits {
  readonly maxBytes: number;
  readonly maxPixels: number;
}

export type ChildRequest =
  | { readonly kind: 'hash'; readonly path: string; readonly limits: Limits }
  | {
      readonly kind: 'decode';
      readonly source: DecodeSource;
      readonly task: DecodeTask;
      readonly limits: Limits;
    };

export interface FileDigest {
  readonly sha256: Uint8Array;
  readonly bytes: number;
  /** Nanoseconds since 1970, of the file that was read or of its sidecar, whichever is newer: both decide what is known of it. */
  readonly mtimeNs: bigint;
  /** Keywords of its sidecars. */
  readonly keywords: readonly string[];
}

export interface DecodedImage {
  readonly sha256: Uint8Array;
  readonly bytes: number;
  readonly format: ImageFormat;
  /** Upright. */
  readonly width: number;
  readonly height: number;
  readonly takenAt: Date | null;
  readonly metadata: PhotoMetadata;
  /** uint8 [height, width, 3] of the backbone's input; null when none was asked for. */
  readonly pixels: Uint8Array | null;
}

export type ChildReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'hashed'; readonly digest: FileDigest }
  | { readonly kind: 'decoded'; readonly image: DecodedImage }
  | { readonly kind: 'unreadable'; readonly reason: ReasonCode; readonly message: string }
  /** Nothing is known to be wrong with the picture (the disk is full, a bug). */
  | { readonly kind: 'failed'; readonly message: string };
