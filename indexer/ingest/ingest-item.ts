import { z } from 'zod';
import { REASON_CODES } from './reasons.ts';

/** Raised when files that couldn't be decoded may be decodable now: they are tried again once. */
export const DECODER_VERSION = 1;

const bytes = z.number().int().nonnegative();
const bigint = z
  .string()
  .regex(/^-?\d+$/)
  .transform(BigInt);

/** What is to be done with one file. The item's key is its path in the collection. */
export const ingestItem = z.discriminatedUnion('task', [
  z.object({
    task: z.literal('read'),
    sourceId: z.uuid(),
    bytes,
    /** Nanoseconds since 1970. */
    mtimeNs: bigint,
    decoder: z.number(),
  }),
  z.object({ task: z.literal('upload'), sha256: z.hex().length(64), bytes }),
  /** The image of a file that is gone. */
  z.object({ task: z.literal('remove'), imageId: bigint, sourceId: z.uuid() }),
  /** Nothing: the scan said why. A new scan looks again. */
  z.object({ task: z.literal('refuse'), reason: z.enum(REASON_CODES), message: z.string() }),
]);

export type IngestItem = z.output<typeof ingestItem>;
/** As it lies in the ledger. */
export type IngestPayload = z.input<typeof ingestItem>;
