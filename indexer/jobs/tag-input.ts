import { z } from 'zod';
import {
  asCollectionId,
  asTagRunId,
  asTextModelId,
  asVisionSpaceId,
  asVocabularyId,
} from '../../store/ids.ts';
import { storedOptions } from '../tagging/run-request.ts';

/** Of a TAG job: what the run is over and goes by, fixed when it is asked for. */
export const tagInput = z.object({
  collectionId: z.uuid().transform(asCollectionId),
  visionSpaceId: z.uuid().transform(asVisionSpaceId),
  textModelId: z.uuid().transform(asTextModelId),
  vocabularyId: z.uuid().transform(asVocabularyId),
  version: z.int().min(1),
  options: storedOptions,
});

export type TagInput = z.output<typeof tagInput>;

/** Of a REVERT_TAGS job. */
export const revertInput = z.object({ tagRunId: z.uuid().transform(asTagRunId) });

/** Of a TAG job's items. */
export const tagItem = z.discriminatedUnion('task', [
  z.object({
    task: z.literal('range'),
    number: z.int(),
    /** Ids of images; both belong to it. */
    from: z.string(),
    to: z.string(),
    path: z.string(),
  }),
  z.object({ task: z.literal('apply'), path: z.string() }),
]);

export type TagItem = z.output<typeof tagItem>;
