import type { ImageFormat } from '../../store/images.ts';

/** What the first bytes say: a format we decode, one we know and don't, or none. */
export type Sniffed =
  | { readonly kind: 'image'; readonly format: ImageFormat }
  | { readonly kind: 'unsupported'; readonly name: string }
  | { readonly kind: 'unknown' };

/** How much of a file `sniff` looks at. */
export const SNIFF_BYTES = 4096;

/** Bytes decide what a file is, not its name. */
export function sniff(bytes: Uint8Array): Sniffed {
  const head = Buffer.from(bytes.subarray(0, SNIFF_BYTES)).toString('latin1');
  const format = imageFormat(head) ?? boxedFormat(head);
  if (format !== null) return { kind: 'image', format };
  const name = unsupportedName(head);
  return name === null ? { kind: 'unknown' } : { kind: 'unsupported', name };
}

function imageFormat(head: string): ImageFormat | null {
  if (head.startsWith('\xff\xd8\xff')) return 'JPEG';
  if (head.startsWith('\x89PNG\r\n\x1a\n')) return 'PNG';
  if (head.startsWith('RIFF') && head.startsWith('WEBP', 8)) return 'WEBP';
  if (/^GIF8[79]a/.test(head)) return 'GIF';
  // Classic and BigTIFF, both byte orders.
  const isTiff = ['II*\0', 'MM\0*', 'II+\0', 'MM\0+'].some((magic) => head.startsWith(magic));
  return isTiff ? 'TIFF' : null;
}

const AVIF_BRANDS = new Set(['avif', 'avis']);
const HEIF_BRANDS = new Set(['heic', 'heix', 'heim', 'heis', 'hevc', 'hevx', 'mif1', 'msf1']);

/** AVIF and HEIF are boxes; the first names its brands: the main one, a version, then compatible ones. */
function boxedFormat(head: string): ImageFormat | null {
  if (!head.startsWith('ftyp', 4)) return null;
  const length = Math.min(head.length, Buffer.from(head.slice(0, 4), 'latin1').readUInt32BE());
  const brands = [head.slice(8, 12)];
  for (let at = 16; at + 4 <= length; at += 4) brands.push(head.slice(at, at + 4));
  if (brands.some((brand) => AVIF_BRANDS.has(brand))) return 'AVIF';
  return brands.some((brand) => HEIF_BRANDS.has(brand)) ? 'HEIF' : null;
}

/** Formats people keep beside photos; naming them is kinder than "not an image". Each begins with one of these. */
const UNSUPPORTED: readonly (readonly [string, ...string[]])[] = [
  ['PDF', '%PDF-'],
  ['PSD', '8BPS'],
  ['ICO', '\0\0\x01\0'],
  ['JPEG XL', '\xff\x0a', '\0\0\0\x0cJXL '],
  ['JPEG 2000', '\0\0\0\x0cjP  ', '\xff\x4f\xff\x51'],
  ['a video', '\x1a\x45\xdf\xa3', 'FLV\x01', '\0\0\x01\xba'],
  ['an archive', 'PK\x03\x04', '\x1f\x8b', '7z\xbc\xaf', 'Rar!'],
];

/** A prologue, comments and a document type may come before the element. */
const SVG = /^(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>|<!--.*?-->|<!DOCTYPE[^>]*>|\s)*<svg[\s>]/is;

function unsupportedName(head: string): string | null {
  const byStart = UNSUPPORTED.find(([, ...starts]) =>
    starts.some((start) => head.startsWith(start)),
  );
  if (byStart) return byStart[0];
  if (head.startsWith('BM') && head.startsWith('\0\0\0\0', 6)) return 'BMP';
  if (head.startsWith('ftyp', 4) || head.startsWith('AVI ', 8)) return 'a video';
  return SVG.test(head) ? 'SVG' : null;
}
