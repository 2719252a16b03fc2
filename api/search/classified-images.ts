import { setImmediate as nextTurn } from 'node:timers/promises';
import { prepareLabels, type LabelEncoder } from '../../indexer/tagging/prepared-labels.ts';
import type { Embedding } from '../../models/embedding.ts';
import { PlatformError, throwIfAborted } from '../../platform/errors.ts';
import type { CollectionId } from '../../store/ids.ts';
import type { ImageRecord } from '../../store/images.ts';
import type { TextModelRecord, VisionSpaceRecord } from '../../store/model-registry.ts';
import { getVocabulary } from '../../store/vocabularies.ts';
import { readLabels } from '../../store/vocabulary-labels.ts';
import type { Context } from '../context.ts';
import { classify, type Classes, type ScoredLabel } from './image-classifier.ts';
import { loadEmbedding } from './search-terms.ts';
import { findSearched, type Searched } from './searched-collection.ts';
import type { TextEmbeddings } from './text-embeddings.ts';

export interface CollectionTexts extends Searched {
  readonly textModel: TextModelRecord;
  readonly texts: TextEmbeddings;
}

/** What a collection's stored images are classified with. Throws `MODEL_MISMATCH`, `GENERATION_NOT_READY`. */
export async function findTexts(
  context: Context,
  collectionId: CollectionId,
): Promise<CollectionTexts> {
  const collection = await context.loaders.collection.load(collectionId);
  if (!collection) throw new Error('An image outlived its collection.');
  const searched = await findSearched(context, collection);
  const { textModel, visionSpace } = searched;
  if (textModel === null) {
    const message = `No text model of the vision space ${visionSpace.name} is known: train one.`;
    throw new PlatformError('MODEL_MISMATCH', message);
  }
  return { ...searched, textModel, texts: await context.services.textModels.get(textModel) };
}

/** The newest labels of a vocabulary, as tag runs go by them. Throws `NOT_FOUND`, `BAD_USER_INPUT` for an open one. */
export async function readClasses(
  { services, signal }: Context,
  { texts, textModel, visionSpace }: CollectionTexts,
  vocabulary: string,
): Promise<Classes> {
  const { pool: db } = services.database;
  const { id: vocabularyId, version, isOpen } = await getVocabulary(db, vocabulary);
  if (isOpen) {
    const message = `The labels of "${vocabulary}" have no prompts: give the ones you mean as "labels".`;
    throw new PlatformError('BAD_USER_INPUT', message);
  }
  const labels = await readLabels(db, { vocabularyId, version });
  const ids = { textModelId: textModel.id, visionSpaceId: visionSpace.id };
  const encode: LabelEncoder['encode'] = (all, options) => texts.encodeMany(all, options);
  const encoder = { encode, templates: texts.templates, dimensions: texts.dimensions };
  const { vectors, dimensions } = await prepareLabels({ db, texts: encoder, ...ids }, labels, {
    signal,
  });
  const rowOf = (i: number): Embedding =>
    vectors.subarray(i * dimensions, (i + 1) * dimensions) as Embedding;
  return { names: labels.map(({ name }) => name), vectors: labels.map((_, i) => rowOf(i)) };
}

export interface ClassifiedImage {
  readonly image: ImageRecord;
  readonly labels: readonly ScoredLabel[];
}

/** The best `top` labels of each; other requests get their turn between two images. */
export async function classifyAll(
  context: Context,
  images: readonly ImageRecord[],
  { classes, visionSpace, top }: { classes: Classes; visionSpace: VisionSpaceRecord; top: number },
): Promise<readonly ClassifiedImage[]> {
  const load = (image: ImageRecord) => loadEmbedding(context, image, visionSpace);
  const embeddings = await Promise.all(images.map(load));
  const classified: ClassifiedImage[] = [];
  for (const [i, image] of images.entries()) {
    await nextTurn();
    throwIfAborted(context.signal);
    const embedding = embeddings[i];
    if (embedding) classified.push({ image, labels: classify(embedding, classes).slice(0, top) });
  }
  return classified;
}
