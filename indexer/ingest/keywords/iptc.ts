import { cleanKeywords } from './clean-keywords.ts';

/** Longest block that is looked at; a JPEG's segment holds 64 kB. */
const MAX_IPTC_BYTES = 262_144;
const PHOTOSHOP = 'Photoshop 3.0\0';
const RESOURCE = '8BIM';
/** Photoshop's resource that holds IPTC data. */
const IPTC_RESOURCE = 0x0404;
const MARKER = 0x1c;
/** Record 1, data set 90: the character set, as ISO 2022 escapes. Record 2, data set 25: a keyword. */
const CHARACTER_SET = 0x015a;
const KEYWORD = 0x0219;
const UTF8 = '\x1b%G';

/** Keywords of an IPTC-IIM block, bare or within Photoshop's resources. Where it is broken, what stands before that counts. */
export function readIptcKeywords(bytes: Buffer | undefined): readonly string[] {
  if (bytes === undefined || bytes.length > MAX_IPTC_BYTES) return [];
  const sets = [...dataSets(findIptc(bytes))];
  const isUtf8 = sets.some(({ tag, data }) => tag === CHARACTER_SET && isMarkedUtf8(data));
  const keywords = sets.filter(({ tag }) => tag === KEYWORD);
  return cleanKeywords(keywords.map(({ data }) => data.toString(isUtf8 ? 'utf8' : 'latin1')));
}

function isMarkedUtf8(data: Buffer): boolean {
  return data.toString('latin1') === UTF8;
}

/** The block within Photoshop's resources; bytes without those are the block themselves. */
function findIptc(bytes: Buffer): Buffer {
  const isPhotoshop = bytes.toString('latin1', 0, PHOTOSHOP.length) === PHOTOSHOP;
  let at = isPhotoshop ? PHOTOSHOP.length : 0;
  if (bytes.toString('latin1', at, at + 4) !== RESOURCE) return bytes;
  while (at + 12 <= bytes.length && bytes.toString('latin1', at, at + 4) === RESOURCE) {
    const id = bytes.readUInt16BE(at + 4);
    const name = even(1 + (bytes[at + 6] ?? 0));
    const sizeAt = at + 6 + name;
    if (sizeAt + 4 > bytes.length) break;
    const size = bytes.readUInt32BE(sizeAt);
    const data = bytes.subarray(sizeAt + 4, sizeAt + 4 + size);
    if (id === IPTC_RESOURCE) return data;
    at = sizeAt + 4 + even(size);
  }
  return Buffer.alloc(0);
}

function even(size: number): number {
  return size + (size % 2);
}

interface DataSet {
  /** Record and number, a byte each. */
  readonly tag: number;
  readonly data: Buffer;
}

function* dataSets(block: Buffer): Generator<DataSet> {
  let at = 0;
  while (at + 5 <= block.length && block[at] === MARKER) {
    const size = block.readUInt16BE(at + 3);
    // Longer ones give the size of their size here; no keyword is that long.
    if (size > 0x7fff || at + 5 + size > block.length) return;
    yield { tag: block.readUInt16BE(at + 1), data: block.subarray(at + 5, at + 5 + size) };
    at += 5 + size;
  }
}
