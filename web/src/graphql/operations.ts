import type {
  ClassifyImageQuery,
  ClassifyImageQueryVariables,
  ImageQuery,
  ImageQueryVariables,
  ImagesQuery,
  ImagesQueryVariables,
  JobQuery,
  JobQueryVariables,
  SearchQuery,
  SearchQueryVariables,
  SimilarImagesQuery,
  SimilarImagesQueryVariables,
  StartQuery,
  StartQueryVariables,
  UploadImagesMutation,
  UploadImagesMutationVariables,
} from '../generated/operations.ts';
import classifyImage from './classify-image.graphql?raw';
import imageCard from './image-card.graphql?raw';
import image from './image.graphql?raw';
import images from './images.graphql?raw';
import jobProgress from './job-progress.graphql?raw';
import job from './job.graphql?raw';
import { operation } from './operation.ts';
import rankedPage from './ranked-page.graphql?raw';
import search from './search.graphql?raw';
import similarImages from './similar-images.graphql?raw';
import start from './start.graphql?raw';
import uploadImages from './upload-images.graphql?raw';

/** The operations of searching and adding images: each is its file and the fragments it uses. */

export const START = operation<StartQuery, StartQueryVariables>(start);
export const IMAGES = operation<ImagesQuery, ImagesQueryVariables>(images, imageCard);
export const SEARCH = operation<SearchQuery, SearchQueryVariables>(search, rankedPage, imageCard);
export const SIMILAR_IMAGES = operation<SimilarImagesQuery, SimilarImagesQueryVariables>(
  similarImages,
  rankedPage,
  imageCard,
);
export const IMAGE = operation<ImageQuery, ImageQueryVariables>(image, imageCard);
export const CLASSIFY_IMAGE = operation<ClassifyImageQuery, ClassifyImageQueryVariables>(
  classifyImage,
);
export const JOB = operation<JobQuery, JobQueryVariables>(job, jobProgress);
export const UPLOAD_IMAGES = operation<UploadImagesMutation, UploadImagesMutationVariables>(
  uploadImages,
  jobProgress,
);
