import { cleanKeywords, partsOf } from './clean-keywords.ts';
import { MAX_XMP_BYTES, readXmpLists } from './xmp-lists.ts';

/** Keywords of an XMP packet or sidecar: dc:subject and lr:hierarchicalSubject. Strangers wrote it: what is wrong with it, has none. */
export function readXmpKeywords(bytes: Uint8Array | undefined): readonly string[] {
  if (bytes === undefined || bytes.length > MAX_XMP_BYTES) return [];
  try {
    const { lists } = readXmpLists(decodeXmp(bytes));
    return cleanKeywords(
      lists.flatMap(({ name, items }) =>
        items.flatMap(({ text }) => (name === 'subject' ? text : partsOf(text))),
      ),
    );
  } catch {
    return [];
  }
}

/** Without byte-order mark and padding. Throws when it is neither UTF-8 nor marked UTF-16. */
function decodeXmp(bytes: Uint8Array): string {
  const [first, second] = bytes;
  const isMarked = (first === 0xfe && second === 0xff) || (first === 0xff && second === 0xfe);
  const encoding = !isMarked ? 'utf-8' : first === 0xfe ? 'utf-16be' : 'utf-16le';
  return new TextDecoder(encoding, { fatal: true }).decode(bytes).replace(/[\0\s]+$/, '');
}
