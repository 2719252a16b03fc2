import { z } from 'zod';

/** What is to be done: an image to be in the generation, or the checks that come last. The key is the image's id, or `checks`. */
export const reindexItem = z.discriminatedUnion('task', [
  z.object({ task: z.literal('embed'), imageId: z.string().regex(/^\d+$/), path: z.string() }),
  z.object({ task: z.literal('check') }),
]);

export type ReindexItem = z.output<typeof reindexItem>;

/** Shows as the item's path. */
export const CHECKS_KEY = 'checks';

/** What an item's reason code says when it is DONE, or SKIPPED without fault. */
export type ReindexOutcome =
  /** Decoded and embedded. */
  | 'EMBEDDED'
  /** Its bytes had an embedding. */
  | 'REUSED'
  /** Its file was replaced meanwhile; an ingest embedded the new bytes. */
  | 'INGESTED'
  /** The image was deleted meanwhile. */
  | 'DELETED'
  /** Every check passed. */
  | 'CHECKED';
