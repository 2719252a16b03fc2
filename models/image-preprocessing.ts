import sharp, { type Sharp } from 'sharp';
import { messageOf, PlatformError } from '../platform/errors.ts';
import type { ImageInput } from './manifest.ts';

/** A photo: its file's path or its bytes. */
export type ImageSource = string | Uint8Array;

/** A part of the photo and how it is looked at; training sees photos in several views. */
export interface View {
  /** Left, top, width and height as fractions of the photo, each 0..1. */
  readonly region?: readonly [number, number, number, number];
  readonly isFlipped?: boolean;
}

const FORMATS = ['Jpeg', 'Png', 'Webp', 'Nsgif', 'Heif', 'Tiff'];

/** Most pixels a photo may have before it is decoded: 100 megapixels, some 300 MB. */
const MAX_PIXELS = 100_000_000;

// Only these decoders exist for us: SVG, PDF, ImageMagick's formats and raw pixel formats reach far more code.
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({ operation: FORMATS.map((format) => `VipsForeignLoad${format}`) });
// One thread a photo: many photos are decoded at once.
sharp.concurrency(1);
sharp.cache(false);

/**
 * Decodes a photo and brings it to the vision backbone's input: upright (EXIF), first frame, transparency on white,
 * 8-bit sRGB. Gives uint8 [height, width, 3]. Throws `IMAGE_UNREADABLE` with the decoder's reason.
 */
export async function preprocessImage(
  source: ImageSource,
  input: ImageInput,
  view: View = {},
): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const image = open(source);
    const upright = view.region ? await cutRegion(image, view.region) : image.autoOrient();
    const flipped = view.isFlipped ? upright.flop() : upright;
    const { data, info } = await resize(flipped, input)
      .flatten({ background: 'white' })
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    return info.channels === 3 ? ownBytes(data) : repeatChannel(data, info.channels);
  } catch (cause) {
    const reason = `The image can't be read (${firstLine(messageOf(cause))}).`;
    throw new PlatformError(
      'IMAGE_UNREADABLE',
      `${reason} JPEG, PNG, WebP, GIF, AVIF and TIFF work.`,
      {
        cause,
      },
    );
  }
}

function open(source: ImageSource): Sharp {
  return sharp(source, { limitInputPixels: MAX_PIXELS, failOn: 'error' });
}

function resize(image: Sharp, { width, height, fit, cropFrom, kernel }: ImageInput): Sharp {
  switch (fit) {
    case 'stretch':
      return image.resize({ width, height, fit: 'fill', kernel });
    case 'crop': {
      const side = cropFrom ?? Math.min(width, height);
      const scaled = image.resize({ width: side, height: side, fit: 'cover', kernel });
      const [left, top] = [Math.round((side - width) / 2), Math.round((side - height) / 2)];
      return scaled.extract({ left, top, width, height });
    }
  }
}

/** Regions are of the upright photo, so it is turned first; the result is a pipeline of its own. */
async function cutRegion(image: Sharp, region: NonNullable<View['region']>): Promise<Sharp> {
  const { data, info } = await image.autoOrient().raw().toBuffer({ resolveWithObject: true });
  const [left, top, width, height] = region;
  const { width: w, height: h, channels } = info;
  return sharp(data, { raw: { width: w, height: h, channels } }).extract({
    left: Math.floor(left * w),
    top: Math.floor(top * h),
    width: Math.max(1, Math.min(Math.round(width * w), w - Math.floor(left * w))),
    height: Math.max(1, Math.min(Math.round(height * h), h - Math.floor(top * h))),
  });
}

/** Greyscale comes with one channel: red, green and blue are the same. */
function repeatChannel(data: Buffer, channels: number): Uint8Array<ArrayBuffer> {
  const pixels = new Uint8Array((data.length / channels) * 3);
  for (let i = 0; i < pixels.length; i++) pixels[i] = data[Math.floor(i / 3) * channels] ?? 0;
  return pixels;
}

/** A copy whose buffer can be sent to another thread (small buffers of Node share a pool). */
function ownBytes(data: Buffer): Uint8Array<ArrayBuffer> {
  return new Uint8Array(data);
}

function firstLine(message: string): string {
  return message.split('\n', 1)[0] ?? '';
}
