import { z } from 'zod';
import { asCollectionId, asVisionSpaceId } from '../../store/ids.ts';
import { canary, MAX_CANARIES } from './canaries.ts';

/** As it lies in the job's row. */
export const reindexInput = z.object({
  collectionId: z.uuid().transform(asCollectionId),
  visionSpaceId: z.uuid().transform(asVisionSpaceId),
  scope: z.enum(['ALL', 'FAILED', 'IMAGES']),
  imageIds: z.array(z.string().regex(/^\d+$/)).nullable(),
  canaries: z.array(canary).max(MAX_CANARIES),
  dryRun: z.boolean(),
});

export type ReindexInput = z.output<typeof reindexInput>;
