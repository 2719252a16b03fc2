import { checkOptions } from '../indexer/tagging/run-request.ts';
import type { LabelEncoder } from '../indexer/tagging/prepared-labels.ts';
import type { TagRunRequest } from '../indexer/tagging/start-run.ts';
import { PlatformError } from '../platform/errors.ts';
import type { CollectionRecord } from '../store/collections.ts';
import type { TextModelId } from '../store/ids.ts';
import type { TextModelRecord } from '../store/model-registry.ts';
import { getVocabulary } from '../store/vocabularies.ts';
import { getVisibleCollection } from './auth/visible.ts';
import type { Context } from './context.ts';
import type { TagRunInput } from './generated/resolvers.ts';
import { checkFilter } from './image-filter.ts';
import { inField } from './resolvers/user-errors.ts';

export interface CheckedRun {
  readonly collection: CollectionRecord;
  readonly request: TagRunRequest;
}

/** What a run is asked for, as far as it can be checked without the collection's model. Throws the caller's mistakes, with their fields. */
export async function readTagRunInput(context: Context, input: TagRunInput): Promise<CheckedRun> {
  const { pool } = context.services.database;
  const collection = await inField('collection', getVisibleCollection(context, input.collection));
  const vocabulary = await inField('vocabulary', getVocabulary(pool, input.vocabulary));
  const filter = await inField('filter', () => checkFilter(input.filter));
  const choice = checkOptions(input);
  const version = input.version ?? null;
  const options = { ...choice, filter };
  return { collection, request: { collectionId: collection.id, vocabulary, version, options } };
}

export interface RunTexts {
  readonly texts: LabelEncoder;
  readonly textModel: TextModelRecord;
}

/** The text model of a run, which lets searches pass between its batches. Throws `MODEL_MISMATCH`. */
export async function getRunTexts(
  { services, loaders }: Pick<Context, 'services' | 'loaders'>,
  id: TextModelId,
): Promise<RunTexts> {
  const textModel = (await loaders.textModels()).find((one) => one.id === id);
  if (textModel === undefined) {
    throw new PlatformError('MODEL_MISMATCH', "The collection's text model isn't known here.");
  }
  const texts = await services.textModels.get(textModel);
  const { dimensions, templates } = texts;
  const encode: LabelEncoder['encode'] = (all, options) => texts.encodeMany(all, options);
  return { textModel, texts: { dimensions, templates, encode } };
}
