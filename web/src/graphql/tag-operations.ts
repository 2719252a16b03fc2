import type {
  ImageTagsQuery,
  ImageTagsQueryVariables,
  PreviewTagRunMutation,
  PreviewTagRunMutationVariables,
  ReportCsvQuery,
  ReportCsvQueryVariables,
  RevertTagRunMutation,
  RevertTagRunMutationVariables,
  ReviewLabelsQuery,
  ReviewLabelsQueryVariables,
  ReviewQueueQuery,
  ReviewQueueQueryVariables,
  ReviewTagsMutation,
  ReviewTagsMutationVariables,
  RunLabelsQuery,
  RunLabelsQueryVariables,
  SetTagsMutation,
  SetTagsMutationVariables,
  StartTagRunMutation,
  StartTagRunMutationVariables,
  TagReportQuery,
  TagReportQueryVariables,
  TagRunsQuery,
  TagRunsQueryVariables,
} from '../generated/operations.ts';
import estimateFacts from './estimate-facts.graphql?raw';
import imageCard from './image-card.graphql?raw';
import imageTags from './image-tags.graphql?raw';
import imageThumb from './image-thumb.graphql?raw';
import jobFacts from './job-facts.graphql?raw';
import jobOutcome from './job-outcome.graphql?raw';
import labelSample from './label-sample.graphql?raw';
import { operation } from './operation.ts';
import pageEnd from './page-end.graphql?raw';
import previewTagRun from './preview-tag-run.graphql?raw';
import reportCsv from './report-csv.graphql?raw';
import revertTagRun from './revert-tag-run.graphql?raw';
import reviewLabels from './review-labels.graphql?raw';
import reviewQueue from './review-queue.graphql?raw';
import reviewTags from './review-tags.graphql?raw';
import runFacts from './run-facts.graphql?raw';
import runLabels from './run-labels.graphql?raw';
import sampleFacts from './sample-facts.graphql?raw';
import setTags from './set-tags.graphql?raw';
import startTagRun from './start-tag-run.graphql?raw';
import tagReport from './tag-report.graphql?raw';
import tagRuns from './tag-runs.graphql?raw';

/** The operations on tag runs, reviews and tags: each is its file and the fragments it uses. */

export const TAG_RUNS = operation<TagRunsQuery, TagRunsQueryVariables>(
  tagRuns,
  runFacts,
  jobFacts,
  pageEnd,
);
export const RUN_LABELS = operation<RunLabelsQuery, RunLabelsQueryVariables>(runLabels, pageEnd);
export const PREVIEW_TAG_RUN = operation<PreviewTagRunMutation, PreviewTagRunMutationVariables>(
  previewTagRun,
  labelSample,
  sampleFacts,
  imageThumb,
);
export const START_TAG_RUN = operation<StartTagRunMutation, StartTagRunMutationVariables>(
  startTagRun,
  jobOutcome,
  jobFacts,
);
export const REVERT_TAG_RUN = operation<RevertTagRunMutation, RevertTagRunMutationVariables>(
  revertTagRun,
  jobOutcome,
  jobFacts,
);
export const REVIEW_QUEUE = operation<ReviewQueueQuery, ReviewQueueQueryVariables>(
  reviewQueue,
  imageCard,
  pageEnd,
);
export const REVIEW_LABELS = operation<ReviewLabelsQuery, ReviewLabelsQueryVariables>(reviewLabels);
export const REVIEW_TAGS = operation<ReviewTagsMutation, ReviewTagsMutationVariables>(reviewTags);
export const TAG_REPORT = operation<TagReportQuery, TagReportQueryVariables>(
  tagReport,
  estimateFacts,
);
export const REPORT_CSV = operation<ReportCsvQuery, ReportCsvQueryVariables>(reportCsv);
export const IMAGE_TAGS = operation<ImageTagsQuery, ImageTagsQueryVariables>(imageTags);
export const SET_TAGS = operation<SetTagsMutation, SetTagsMutationVariables>(setTags);
