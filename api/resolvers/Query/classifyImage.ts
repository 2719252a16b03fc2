import { PlatformError } from '../../../platform/errors.ts';
import type { Embedding } from '../../../models/embedding.ts';
import { getVisibleImage } from '../../auth/visible.ts';
import type { Context } from '../../context.ts';
import type { ClassifyImageInput, QueryResolvers } from '../../generated/resolvers.ts';
import { classify } from '../../search/image-classifier.ts';
import { findSearched } from '../../search/searched-collection.ts';
import { loadEmbedding } from '../../search/search-terms.ts';
import type { TextEmbeddings } from '../../search/text-embeddings.ts';

export const classifyImage: NonNullable<QueryResolvers['classifyImage']> = async (
  _parent,
  { input },
  context,
) => {
  const { texts, embedding } = await read(context, input);
  return [...(await classify(texts, embedding, input.labels))];
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
  const { services, loaders } = context;
  const image = await getVisibleImage(context, imageId);
  const collection = await loaders.collection.load(image.collectionId);
  if (!collection) throw new Error('An image outlived its collection.');
  const { visionSpace, textModel } = await findSearched(context, collection);
  if (textModel === null) {
    const message = `No text model of the vision space ${visionSpace.name} is known: train one.`;
    throw new PlatformError('MODEL_MISMATCH', message);
  }
  const embedding = await loadEmbedding(context, image, visionSpace);
  return { texts: await services.textModels.get(textModel), embedding };
}
