import { previewRun } from '../../../indexer/tagging/preview.ts';
import { checkOptions } from '../../../indexer/tagging/run-request.ts';
import { resolveModels } from '../../../indexer/tagging/start-run.ts';
import { toNewLabels } from '../../../indexer/tagging/written-vocabulary.ts';
import { asLabelId, asVocabularyId } from '../../../store/ids.ts';
import type { NewLabel } from '../../../store/put-vocabulary.ts';
import type { LabelRecord } from '../../../store/vocabularies.ts';
import { getVisibleCollection } from '../../auth/visible.ts';
import type { QueryResolvers } from '../../generated/resolvers.ts';
import { visibleImages } from '../../image-names.ts';
import { getRunTexts } from '../../tag-run-input.ts';
import { toWritten } from '../Mutation/vocabularies.ts';

/** Every image may get it. */
const ONE_LABEL = { maxTagsPerImage: 1, minTagsPerImage: 0 };

export const previewLabel: NonNullable<QueryResolvers['previewLabel']> = async (
  _parent,
  { input },
  context,
) => {
  const { database } = context.services;
  const { id } = await getVisibleCollection(context, input.collection);
  const choice = checkOptions({ ...ONE_LABEL, minProbability: input.minProbability });
  const written = { ...toWritten(input.label), parents: [] }; // of the vocabulary, which isn't asked for
  const labels = (await toNewLabels([written], visibleImages(context))).map(toRecord);
  const models = await resolveModels(database, id);
  const { texts } = await getRunTexts(context, models.textModelId);
  const options = { ...choice, filter: {}, signal: context.signal };
  const found = await previewRun({ pool: database.pool, texts }, models, labels, options);
  const [preview] = found.labels;
  if (preview === undefined) throw new Error('One label has one preview.');
  return preview;
};

/** As if a vocabulary had it. */
function toRecord(label: NewLabel): LabelRecord {
  const nowhere = { id: asLabelId(0), vocabularyId: asVocabularyId(''), version: 0, position: 0 };
  return { ...label, ...nowhere, parentIds: [] };
}
