import { join } from 'node:path';
import { Bundle } from '../../models/bundle.ts';
import { readCaptionedPhotos } from '../../models/dataset.ts';
import type { Embedding } from '../../models/embedding.ts';
import { ImageEncoder } from '../../models/image-encoder.ts';
import { TextEncoder } from '../../models/text-encoder.ts';
import { NULL_PROMPTS } from '../../indexer/tagging/background.ts';
import { CAPTION_LABELS, isNamed } from './caption-labels.ts';

/** Captioned photos against the labels of caption-labels.ts. */
export interface LabelledPhotos {
  readonly labels: readonly string[];
  readonly photos: readonly {
    readonly path: string;
    readonly embedding: Embedding;
    /** By label: whether its captions name it. */
    readonly shows: readonly boolean[];
  }[];
  /** By label, through the bundle's templates. */
  readonly vectors: readonly Embedding[];
  /** Mean of the null prompts' embeddings. */
  readonly background: Float32Array;
}

/** `labels`: places in `CAPTION_LABELS`; absent: all. Photos that can't be read are left out. */
export async function embedLabelled(
  { dataset, split, limit = Infinity }: { dataset: string; split: string; limit?: number },
  bundleFolder = join(import.meta.dirname, '../../models/bundles/default'),
): Promise<LabelledPhotos> {
  const bundle = await Bundle.open(bundleFolder);
  const captioned = (await readCaptionedPhotos(dataset, split)).slice(0, limit);
  const images = await ImageEncoder.load(bundle);
  const encoded = await images.encodeAll(captioned.map(({ path }) => ({ image: path })));
  await images.dispose();
  const texts = await TextEncoder.load(bundle);
  const labels = CAPTION_LABELS.map(([label = '']) => label);
  const vectors = await texts.encodeClasses(labels);
  const nulls = await texts.encode(NULL_PROMPTS);
  await texts.dispose();
  const background = new Float32Array(texts.dimensions);
  for (const { embedding } of nulls) {
    embedding.forEach((value, i) => (background[i] = (background[i] ?? 0) + value / nulls.length));
  }
  const photos = captioned.flatMap(({ path, captions }, i) => {
    const embedding = encoded[i]?.embedding;
    const shows = CAPTION_LABELS.map((names) => isNamed(names, captions));
    return embedding ? [{ path, embedding, shows }] : [];
  });
  return { labels, photos, vectors, background };
}
