import { readFileSync } from 'node:fs';
import { PlatformError } from '../../platform/errors.ts';

/** Six sizes, two 32-bit numbers, three sizes, a double and a size (hnswlib's `saveIndex`). */
const HEADER_BYTES = 96;

/**
 * Throws unless an index file is as long as its own header and link lists say. hnswlib never looks whether its writes
 * succeeded: on a full disk it leaves a short file and reports nothing.
 */
export function checkHnswlibFile(path: string): void {
  const bytes = readFileSync(path);
  if (expectedBytes(bytes) !== bytes.length) {
    const story = 'hnswlib wrote an incomplete file: is the disk full?';
    throw new PlatformError('INDEX_UNAVAILABLE', story);
  }
}

function expectedBytes(bytes: Buffer): number {
  if (bytes.length < HEADER_BYTES) return NaN;
  const count = Number(bytes.readBigUInt64LE(16));
  const elementBytes = Number(bytes.readBigUInt64LE(24));
  let end = HEADER_BYTES + count * elementBytes;
  for (let element = 0; element < count; element++) {
    if (end + 4 > bytes.length) return NaN;
    end += 4 + bytes.readUInt32LE(end);
  }
  return end;
}
