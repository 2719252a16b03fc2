import { PlatformError } from '../../../platform/errors.ts';
import type { Embedding } from '../../../models/embedding.ts';
import { getVisibleImage } from '../../auth/visible.ts';
import type { Context } from '../../context.ts';
import type { ClassifyImageInput, QueryResolvers } from '../../generated/resolvers.ts';
import { classify, encodeLabels } from '../../search/image-classifier.ts';
import { findTexts } from '../../search/classified-images.ts';
import { loadEmbedding } from '../../search/search-terms.ts';
import type { TextEmbeddings } from '../../search/text-embeddings.ts';

export const classifyImage: NonNullable<QueryResolvers['classifyImage']> = async (
  _parent,
  { input },
  context,
) => {
  const { texts, embedding } = await read(context, input);
  return [...classify(embedding, await encodeLabels(texts, input.labels))];
};

interface Read {
  readonly texts: TextEmbeddings;
  readonly embedding: Embedding;
}

async function read(context: Context, { imageId, upload }: ClassifyImageInput): Promise<Read> {
  if ((typeof imageId === 'string') === Boolean(upload)) {
    throw new PlatformError('BAD_USER_INPUT', 'Give "imageId" or "upload", one of them.');
  }
  return upload ? readUpload(context, upload) : readStored(context, imageId ?? '');
}

/** A picture of no collection goes through the models that new collections begin with. */
async function readUpload(
  { services, signal }: Context,
  upload: NonNullable<ClassifyImageInput['upload']>,
): Promise<Read> {
  const { bundle, uploadedImages, texts } = services;
  const { embedding } = await uploadedImages.encode(upload, bundle.visionSpace, signal);
  return { texts, embedding };
}

async function readStored(context: Context, imageId: string): Promise<Read> {
  const image = await getVisibleImage(context, imageId);
  const { texts, visionSpace } = await findTexts(context, image.collectionId);
  return { texts, embedding: await loadEmbedding(context, image, visionSpace) };
}
