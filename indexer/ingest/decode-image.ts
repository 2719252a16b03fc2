import { createHash, randomBytes } from 'node:crypto';
import { rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import sharp, { type Metadata } from 'sharp';
import { preprocessImage } from '../../models/image-preprocessing.ts';
import { makeFolder } from '../../platform/make-folder.ts';
import { messageOf, PlatformError } from '../../platform/errors.ts';
import type { ImageFormat } from '../../store/images.ts';
import type { DecodedImage, DecodeTask, Limits, ThumbnailRequest } from './decoder-protocol.ts';
import { readExifFacts } from './exif.ts';
import { cleanKeywords } from './keywords/clean-keywords.ts';
import { readIptcKeywords } from './keywords/iptc.ts';
import { readXmpKeywords } from './keywords/xmp.ts';
import { UnreadableImage } from './reasons.ts';
import { sniff } from './sniff.ts';

/** Everything we want to know of a picture's bytes. Throws `UnreadableImage`; other errors are not the picture's fault. */
export async function decodeImage(
  bytes: Uint8Array,
  { input, thumbnail, expectedSha256, readsExif }: DecodeTask,
  { maxPixels }: Limits,
): Promise<DecodedImage> {
  const sha256 = createHash('sha256').update(bytes).digest();
  if (expectedSha256 !== null && sha256.toString('hex') !== expectedSha256) {
    throw new UnreadableImage('CHANGED_WHILE_READ', 'The file was written while it was read.');
  }
  const format = formatOf(bytes);
  const facts = await readHeader(bytes, format, maxPixels);
  const pixels = input && (await reading(bytes, format, () => preprocessImage(bytes, input)));
  if (thumbnail) await writeThumbnail(bytes, format, thumbnail);
  const { takenAt, metadata: ofCamera } = readExifFacts(readsExif ? facts.exif : undefined);
  const keywords = readsExif ? readKeywords(facts) : [];
  const metadata = { ...ofCamera, ...(keywords.length === 0 ? {} : { keywords }) };
  const { width, height } = facts.autoOrient;
  return { sha256, bytes: bytes.length, format, width, height, takenAt, metadata, pixels };
}

/** What the file itself says it shows. */
function readKeywords({ xmp, iptc }: Metadata): readonly string[] {
  return cleanKeywords([...readXmpKeywords(xmp), ...readIptcKeywords(iptc)]);
}

function formatOf(bytes: Uint8Array): ImageFormat {
  if (bytes.length === 0) throw new UnreadableImage('EMPTY_FILE', 'The file has no bytes.');
  const sniffed = sniff(bytes);
  switch (sniffed.kind) {
    case 'image':
      return sniffed.format;
    case 'unsupported':
      throw unsupported(sniffed.name);
    case 'unknown':
      throw new UnreadableImage(
        'NOT_AN_IMAGE',
        'Its bytes are no picture, whatever its name says.',
      );
  }
}

function unsupported(name: string): UnreadableImage {
  const story = `This is ${name}; JPEG, PNG, WebP, GIF, AVIF and TIFF work.`;
  return new UnreadableImage('UNSUPPORTED_FORMAT', story);
}

async function readHeader(
  bytes: Uint8Array,
  format: ImageFormat,
  maxPixels: number,
): Promise<Metadata> {
  // The limit is ours, so that the message has the size.
  const header = await reading(bytes, format, () =>
    sharp(bytes, { limitInputPixels: false }).metadata(),
  );
  const pixels = header.width * header.height;
  if (pixels <= maxPixels) return header;
  const size = `${header.width} x ${header.height}`;
  throw new UnreadableImage(
    'TOO_MANY_PIXELS',
    `It has ${size} pixels; at most ${maxPixels / 1e6} million work.`,
  );
}

async function reading<T>(
  bytes: Uint8Array,
  format: ImageFormat,
  read: () => Promise<T>,
): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw explain(error, bytes, format);
  }
}

const TRUNCATED =
  /premature end|unexpected end|insufficient|end of (?:file|stream)|outside of file/i;
const NO_DECODER = /support for this compression|unsupported codec|unsupported feature/i;

function explain(error: unknown, bytes: Uint8Array, format: ImageFormat): UnreadableImage {
  const whole = messageOf(error instanceof PlatformError ? error.cause : error);
  const isCut = TRUNCATED.test(whole) || endsEarly(bytes, format);
  if (format === 'HEIF' && !isCut) return unsupported('HEIF with a codec we lack');
  if (NO_DECODER.test(whole)) return unsupported(`${format} of a kind we can't decode`);
  const what = isCut ? 'The file ends too early' : 'The file is damaged';
  const message = `${what} (${format}: ${lastLine(whole)}).`;
  return new UnreadableImage(isCut ? 'TRUNCATED' : 'CORRUPT', message, { cause: error });
}

/** The decoder's own reason comes last; what precedes it are its attempts. */
function lastLine(message: string): string {
  const lines = message.split('\n').filter((line) => /[a-z]{2}/i.test(line));
  return (lines.at(-1) ?? 'no reason given').trim().slice(0, 200);
}

/** Whether a file that can't be decoded lacks its end; some decoders don't say. */
function endsEarly(bytes: Uint8Array, format: ImageFormat): boolean {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (format) {
    case 'JPEG':
      return buffer.lastIndexOf('\xff\xd9', undefined, 'latin1') === -1;
    case 'PNG':
      return !buffer.includes('IEND', Math.max(0, buffer.length - 1024), 'latin1');
    case 'WEBP':
      return buffer.length < 12 || buffer.readUInt32LE(4) + 8 > buffer.length;
    case 'GIF':
      return buffer.at(-1) !== 0x3b;
    case 'TIFF':
      return directoryIsMissing(buffer);
    case 'AVIF':
    case 'HEIF':
      return false;
  }
}

/** A TIFF says in its header where its directory lies; writers often put it at the end. */
function directoryIsMissing(buffer: Buffer): boolean {
  if (buffer.length < 16) return true;
  const isLittle = buffer[0] === 0x49;
  const isBig = (isLittle ? buffer[2] : buffer[3]) === 43;
  const at = isBig
    ? Number(isLittle ? buffer.readBigUInt64LE(8) : buffer.readBigUInt64BE(8))
    : isLittle
      ? buffer.readUInt32LE(4)
      : buffer.readUInt32BE(4);
  return at + 2 > buffer.length;
}

/** The least effort: a third of the time of the usual one, for a file a quarter longer. */
const WEBP = { effort: 0, quality: 75 };

async function writeThumbnail(
  bytes: Uint8Array,
  format: ImageFormat,
  { file, side }: ThumbnailRequest,
): Promise<void> {
  const content = await reading(bytes, format, () =>
    sharp(bytes, { failOn: 'error' })
      .autoOrient()
      .resize({ width: side, height: side, fit: 'inside', withoutEnlargement: true })
      .toColourspace('srgb')
      .webp(WEBP)
      .toBuffer(),
  );
  await makeFolder(dirname(file));
  const draft = `${file}.${randomBytes(6).toString('hex')}.part`;
  try {
    await writeFile(draft, content);
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}
