import { PlatformError } from '../../../platform/errors.ts';
import type { ImageRecord } from '../../../store/images.ts';
import { getVisibleImage } from '../../auth/visible.ts';
import type { Context } from '../../context.ts';
import type { ClassifyImagesInput, QueryResolvers } from '../../generated/resolvers.ts';
import {
  classifyAll,
  findTexts,
  readClasses,
  type CollectionTexts,
} from '../../search/classified-images.ts';
import { encodeLabels, type Classes } from '../../search/image-classifier.ts';

const MOST_IMAGES = 500;
const MOST_TOP = 100;
const TOP = 5;

export const classifyImages: NonNullable<QueryResolvers['classifyImages']> = async (
  _parent,
  { input },
  context,
) => {
  const top = input.top ?? TOP;
  if (top < 1 || top > MOST_TOP) throw bad(`"top" is from 1 to ${MOST_TOP}.`);
  const { images, collectionId } = await getImages(context, input.imageIds);
  const found = await findTexts(context, collectionId);
  const classes = await getClasses(context, found, input);
  const { visionSpace } = found;
  const classified = await classifyAll(context, images, { classes, visionSpace, top });
  return classified.map(({ image, labels }) => ({ image, labels: [...labels] }));
};

async function getImages(context: Context, ids: readonly string[]) {
  if (ids.length < 1 || ids.length > MOST_IMAGES) {
    throw bad(`"imageIds" takes 1 to ${MOST_IMAGES}, not ${ids.length}.`);
  }
  const images: readonly ImageRecord[] = await Promise.all(
    ids.map((id) => getVisibleImage(context, id)),
  );
  const [collectionId, ...others] = new Set(images.map((image) => image.collectionId));
  if (collectionId !== undefined && others.length === 0) return { images, collectionId };
  throw bad('"imageIds" takes images of one collection: ask once for each.');
}

function getClasses(
  context: Context,
  found: CollectionTexts,
  { labels, vocabulary }: ClassifyImagesInput,
): Promise<Classes> {
  if (Array.isArray(labels) === (typeof vocabulary === 'string')) {
    throw bad('Give "labels" or "vocabulary", one of them.');
  }
  if (typeof vocabulary === 'string') return readClasses(context, found, vocabulary);
  return encodeLabels(found.texts, labels ?? []);
}

function bad(message: string): PlatformError {
  return new PlatformError('BAD_USER_INPUT', message);
}
