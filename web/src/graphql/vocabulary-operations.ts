import type {
  DeleteVocabularyMutation,
  DeleteVocabularyMutationVariables,
  ExampleImagesQuery,
  ExampleImagesQueryVariables,
  FindExamplesQuery,
  FindExamplesQueryVariables,
  ImportVocabularyMutation,
  ImportVocabularyMutationVariables,
  OpenLabelsQuery,
  OpenLabelsQueryVariables,
  PreviewLabelQuery,
  PreviewLabelQueryVariables,
  PutVocabularyMutation,
  PutVocabularyMutationVariables,
  VocabulariesQuery,
  VocabulariesQueryVariables,
  VocabularyExportQuery,
  VocabularyExportQueryVariables,
  VocabularyQuery,
  VocabularyQueryVariables,
} from '../generated/operations.ts';
import deleteVocabulary from './delete-vocabulary.graphql?raw';
import exampleImages from './example-images.graphql?raw';
import findExamples from './find-examples.graphql?raw';
import imageThumb from './image-thumb.graphql?raw';
import importVocabulary from './import-vocabulary.graphql?raw';
import labelSample from './label-sample.graphql?raw';
import openLabels from './open-labels.graphql?raw';
import { operation } from './operation.ts';
import pageEnd from './page-end.graphql?raw';
import previewLabel from './preview-label.graphql?raw';
import putVocabulary from './put-vocabulary.graphql?raw';
import sampleFacts from './sample-facts.graphql?raw';
import vocabularies from './vocabularies.graphql?raw';
import vocabulary from './vocabulary.graphql?raw';
import vocabularyExport from './vocabulary-export.graphql?raw';
import vocabularyFacts from './vocabulary-facts.graphql?raw';
import vocabularyOutcome from './vocabulary-outcome.graphql?raw';

/** The operations on vocabularies: each is its file and the fragments it uses. */

export const VOCABULARIES = operation<VocabulariesQuery, VocabulariesQueryVariables>(
  vocabularies,
  vocabularyFacts,
  pageEnd,
);
export const VOCABULARY = operation<VocabularyQuery, VocabularyQueryVariables>(
  vocabulary,
  vocabularyFacts,
);
export const VOCABULARY_EXPORT = operation<VocabularyExportQuery, VocabularyExportQueryVariables>(
  vocabularyExport,
);
export const OPEN_LABELS = operation<OpenLabelsQuery, OpenLabelsQueryVariables>(
  openLabels,
  pageEnd,
);
export const PUT_VOCABULARY = operation<PutVocabularyMutation, PutVocabularyMutationVariables>(
  putVocabulary,
  vocabularyOutcome,
);
export const IMPORT_VOCABULARY = operation<
  ImportVocabularyMutation,
  ImportVocabularyMutationVariables
>(importVocabulary, vocabularyOutcome);
export const DELETE_VOCABULARY = operation<
  DeleteVocabularyMutation,
  DeleteVocabularyMutationVariables
>(deleteVocabulary);
export const PREVIEW_LABEL = operation<PreviewLabelQuery, PreviewLabelQueryVariables>(
  previewLabel,
  labelSample,
  sampleFacts,
  imageThumb,
);
export const EXAMPLE_IMAGES = operation<ExampleImagesQuery, ExampleImagesQueryVariables>(
  exampleImages,
  imageThumb,
);
export const FIND_EXAMPLES = operation<FindExamplesQuery, FindExamplesQueryVariables>(
  findExamples,
  imageThumb,
);
