import { z } from 'zod';
import type { SnapshotIdentity } from './snapshot.ts';

/** First bytes of a snapshot file. */
export const MAGIC = Buffer.from('SLVINDEX');
/** Raise it when the meaning of a byte changes: older files are rebuilt. */
export const FORMAT_VERSION = 1;
/** Magic, version and the header's length, 4 bytes each. */
export const PREAMBLE_BYTES = MAGIC.length + 8;
/** SHA-256 over everything before it. */
export const TRAILER_BYTES = 32;

const whole = z.int().nonnegative();

const headerSchema = z.strictObject({
  engine: z.string(),
  /** How the graph was built. */
  build: z.string(),
  fingerprint: z.string(),
  dimensions: whole,
  count: whole,
  /** The last change it holds; a 64-bit number in decimal. */
  lastSeq: z.string().regex(/^\d{1,19}$/),
  /** Bytes of each part, in the order of the body. */
  parts: z.strictObject({ ids: whole, vectors: whole, beside: whole, graph: whole }),
});

export type SnapshotHeader = z.infer<typeof headerSchema>;

export function encodeHead(header: SnapshotHeader): Buffer {
  const json = Buffer.from(JSON.stringify(header));
  const head = Buffer.alloc(PREAMBLE_BYTES + json.length);
  MAGIC.copy(head);
  head.writeUInt32LE(FORMAT_VERSION, MAGIC.length);
  head.writeUInt32LE(json.length, MAGIC.length + 4);
  json.copy(head, PREAMBLE_BYTES);
  return head;
}

/** Null when it isn't one. */
export function parseHeader(json: Buffer): SnapshotHeader | null {
  try {
    return headerSchema.parse(JSON.parse(json.toString('utf8')));
  } catch {
    return null;
  }
}

/** Why a whole and unchanged file is still not the one that is wanted, or null. */
export function mismatch(header: SnapshotHeader, wanted: SnapshotIdentity): string | null {
  const keys = ['engine', 'build', 'fingerprint', 'dimensions'] as const;
  const other = keys.find((key) => header[key] !== wanted[key]);
  if (other === undefined) return null;
  return `it was made with ${other} "${header[other]}", wanted is "${wanted[other]}"`;
}

/** Whether the parts fit together and fill the file. */
export function isConsistent(header: SnapshotHeader, bodyBytes: number): boolean {
  const { parts, count, dimensions } = header;
  const total = Object.values(parts).reduce((sum, bytes) => sum + bytes, 0);
  return total === bodyBytes && parts.ids === count * 8 && parts.vectors === count * dimensions * 4;
}
