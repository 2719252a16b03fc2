import type { Resolvers } from '../generated/resolvers.ts';
import { scalars } from '../scalars.ts';
import { ApiKey } from './ApiKey.ts';
import { Collection } from './Collection.ts';
import {
  CollectionConnection,
  ImageConnection,
  JobConnection,
  JobItemConnection,
  LabelConnection,
  ReviewItemConnection,
  RunLabelConnection,
  SearchConnection,
  TagRunConnection,
  VocabularyConnection,
} from './connections.ts';
import { EmbeddingInfo } from './EmbeddingInfo.ts';
import { Generation } from './Generation.ts';
import { Image } from './Image.ts';
import { ImageTag } from './ImageTag.ts';
import { Job, JobItem } from './Job.ts';
import { Label } from './Label.ts';
import { addSource } from './Mutation/addSource.ts';
import { createApiKey } from './Mutation/createApiKey.ts';
import { createCollection } from './Mutation/createCollection.ts';
import { deleteCollection } from './Mutation/deleteCollection.ts';
import { deleteImages } from './Mutation/deleteImages.ts';
import { cancelJob, pauseJob, resumeJob, retryFailedItems } from './Mutation/job-control.ts';
import {
  discardGeneration,
  promoteGeneration,
  rollbackGeneration,
} from './Mutation/generation-switch.ts';
import { previewTagRun } from './Mutation/previewTagRun.ts';
import { revertTagRun } from './Mutation/revertTagRun.ts';
import { reviewTags } from './Mutation/reviewTags.ts';
import { revokeApiKey } from './Mutation/revokeApiKey.ts';
import { setTags } from './Mutation/setTags.ts';
import { startIngest } from './Mutation/startIngest.ts';
import { startReindex } from './Mutation/startReindex.ts';
import { startSnapshot } from './Mutation/startSnapshot.ts';
import { startTagRun } from './Mutation/startTagRun.ts';
import { startVerify } from './Mutation/startVerify.ts';
import { updateSource } from './Mutation/updateSource.ts';
import { uploadImages } from './Mutation/uploadImages.ts';
import { deleteVocabulary, importVocabulary, putVocabulary } from './Mutation/vocabularies.ts';
import { Node } from './Node.ts';
import { apiKeys } from './Query/apiKeys.ts';
import { classifyImage } from './Query/classifyImage.ts';
import { classifyImages } from './Query/classifyImages.ts';
import { collection } from './Query/collection.ts';
import { collections } from './Query/collections.ts';
import { image } from './Query/image.ts';
import { images } from './Query/images.ts';
import { indexHealth } from './Query/indexHealth.ts';
import { job } from './Query/job.ts';
import { jobs } from './Query/jobs.ts';
import { generations, textModels, visionSpaces } from './Query/models.ts';
import { node, nodes } from './Query/node.ts';
import { previewLabel } from './Query/previewLabel.ts';
import { reviewQueue } from './Query/reviewQueue.ts';
import { search } from './Query/search.ts';
import { similarImages } from './Query/similarImages.ts';
import { tagReport } from './Query/tagReport.ts';
import { tagRuns } from './Query/tagRuns.ts';
import { viewer } from './Query/viewer.ts';
import { vocabularies, vocabulary } from './Query/vocabularies.ts';
import { ReviewItem } from './ReviewItem.ts';
import { Source } from './Source.ts';
import { jobProgress } from './Subscription/jobProgress.ts';
import { LabelPreview, TagRun, TagSample } from './TagRun.ts';
import { TagReport } from './TagReport.ts';
import { TextModel } from './TextModel.ts';
import { Viewer } from './Viewer.ts';
import { VisionSpace } from './VisionSpace.ts';
import { Vocabulary, VocabularyVersion } from './Vocabulary.ts';

/** By schema coordinate: `Query.search` is `Query/search.ts`, `Image.url` is in `Image.ts`. */
export const resolvers: Resolvers = {
  ...scalars,
  Query: {
    ...{ apiKeys, classifyImage, collection, collections, generations, image, images },
    ...{ indexHealth, job, jobs, node, nodes, search, similarImages, textModels, viewer },
    ...{ classifyImages, previewLabel, reviewQueue, tagReport, tagRuns },
    ...{ visionSpaces, vocabularies, vocabulary },
  },
  Mutation: {
    ...{ addSource, createApiKey, createCollection, deleteCollection, deleteImages },
    ...{ revokeApiKey, startIngest, updateSource, uploadImages },
    ...{ pauseJob, resumeJob, cancelJob, retryFailedItems },
    ...{ startReindex, startSnapshot, startVerify },
    ...{ promoteGeneration, rollbackGeneration, discardGeneration },
    ...{ reviewTags, setTags },
    ...{ previewTagRun, revertTagRun, startTagRun },
    ...{ putVocabulary, importVocabulary, deleteVocabulary },
  },
  Subscription: { jobProgress },
  ...{ ApiKey, Collection, EmbeddingInfo, Generation, Image, Job, JobItem, Node, Source },
  ...{ ImageTag, LabelPreview, ReviewItem, TagReport, TagRun, TagSample },
  ...{ TextModel, Viewer, VisionSpace },
  ...{ CollectionConnection, ImageConnection, JobConnection, JobItemConnection, SearchConnection },
  ...{ LabelConnection, ReviewItemConnection, RunLabelConnection, TagRunConnection },
  ...{ Label, Vocabulary, VocabularyConnection, VocabularyVersion },
};
