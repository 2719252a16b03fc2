import { PlatformError } from '../../../platform/errors.ts';
import type { Embedding } from '../../../models/embedding.ts';
import { getVisibleImage } from '../../auth/visible.ts';
import type { Context } from '../../context.ts';
import type { ClassifyImageInput, QueryResolvers } from '../../generated/resolvers.ts';
import { classify } from '../../search/image-classifier.ts';
import { loadEmbedding } from '../../search/search-terms.ts';

export const classifyImage: NonNullable<QueryResolvers['classifyImage']> = async (
  _parent,
  { input },
  context,
) => {
  const { texts } = context.services;
  return [...(await classify(texts, await embeddingOf(context, input), input.labels))];
};

async function embeddingOf(
  context: Context,
  { imageId, upload }: ClassifyImageInput,
): Promise<Embedding> {
  const { services, signal } = context;
  if ((typeof imageId === 'string') === Boolean(upload)) {
    throw new PlatformError('BAD_USER_INPUT', 'Give "imageId" or "upload", one of them.');
  }
  if (upload) return (await services.uploadedImages.encode(upload, signal)).embedding;
  const image = await getVisibleImage(context, imageId ?? '');
  return loadEmbedding(context, image, services.registered.visionSpace);
}
