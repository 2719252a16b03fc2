import { availableParallelism } from 'node:os';
import { PlatformError } from '../../platform/errors.ts';
import { readCaptionedPhotos } from '../dataset.ts';
import type { Embedding } from '../embedding.ts';
import type { EncodeOptions, ImageEncoder } from '../image-encoder.ts';
import { Similarity } from '../similarity.ts';
import type { TextEncoder } from '../text-encoder.ts';
import { hasText } from '../tokenizer.ts';
import { joinRows } from '../rows.ts';
import { bootstrapInterval, ratioInterval, type Interval } from './bootstrap.ts';
import { median, recallAt, retrievalRanks } from './ranks.ts';

export const RECALL_KS = [1, 5, 10] as const;
/** Points of the plotted curve. */
const CURVE_KS = [1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100] as const;

/** One direction: recall in percent, ranks from 1, each with its 95 % interval. */
export interface RetrievalResult {
  readonly r1: number;
  readonly r5: number;
  readonly r10: number;
  readonly medianRank: number;
  readonly interval: Readonly<Record<'r1' | 'r5' | 'r10' | 'medianRank', Interval>>;
  /** Recall at more ks, for the plot. */
  readonly curve: readonly { readonly k: number; readonly recall: number }[];
}

export interface RetrievalReport {
  readonly textToImage: RetrievalResult;
  readonly imageToText: RetrievalResult;
  readonly images: number;
  readonly captions: number;
  /** Photos that couldn't be read, and captions without text: left out. */
  readonly skipped: readonly { readonly path: string; readonly reason: string }[];
}

export interface Encoders {
  readonly images: Pick<ImageEncoder, 'encodeAll' | 'dimensions'>;
  readonly texts: Pick<TextEncoder, 'encode' | 'encodeClasses'>;
}

export interface EvaluateOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (phase: 'photos' | 'captions', done: number, total: number) => void;
}

/** Text-to-image and image-to-text retrieval over the photos and captions of one split. */
export async function evaluateRetrieval(
  dataset: string,
  split: string,
  encoders: Encoders,
  { signal, onProgress }: EvaluateOptions = {},
): Promise<RetrievalReport> {
  const photos = await readCaptionedPhotos(dataset, split);
  const encoded = await encoders.images.encodeAll(
    photos.map(({ path }) => ({ image: path })),
    {
      signal,
      onProgress: counter(photos.length, (done) => onProgress?.('photos', done, photos.length)),
    },
  );
  const skipped: { path: string; reason: string }[] = [];
  const images: Embedding[] = [];
  const captions: string[] = [];
  const imageOf: number[] = [];
  photos.forEach((photo, i) => {
    const { embedding, error } = encoded[i] ?? {};
    const texts = photo.captions.filter(hasText);
    if (embedding && texts.length > 0) {
      const image = images.push(embedding) - 1;
      captions.push(...texts);
      imageOf.push(...texts.map(() => image));
    } else {
      skipped.push({ path: photo.path, reason: error?.message ?? 'It has no caption.' });
    }
  });
  if (images.length === 0) {
    const reason = skipped[0]?.reason ?? '';
    throw new PlatformError('INVALID_DATASET', `No photo of ${dataset} can be used: ${reason}`);
  }
  const texts = await encoders.texts.encode(captions, {
    signal,
    onProgress: counter(captions.length, (done) => onProgress?.('captions', done, captions.length)),
  });
  const width = encoders.images.dimensions;
  const similarity = await Similarity.load(width, availableParallelism());
  try {
    const captionRows = joinRows(
      texts.map(({ embedding }) => embedding),
      width,
    );
    const owners = Int32Array.from(imageOf);
    const ranks = await retrievalRanks(
      similarity,
      width,
      captionRows,
      joinRows(images, width),
      owners,
    );
    return {
      textToImage: summarize(ranks.textToImage, owners, images.length),
      imageToText: summarize(ranks.imageToText, Int32Array.from(images.keys()), images.length),
      images: images.length,
      captions: captions.length,
      skipped,
    };
  } finally {
    await similarity.dispose();
  }
}

/** `ownerOf[i]` is the photo of query i: photos are what the bootstrap draws. */
function summarize(ranks: Int32Array, ownerOf: Int32Array, owners: number): RetrievalResult {
  const ofOwner: number[][] = Array.from({ length: owners }, () => []);
  ranks.forEach((rank, i) => ofOwner[ownerOf[i] ?? 0]?.push(rank));
  const chances = ofOwner.map((list) => list.length);
  const recallInterval = (k: number): Interval =>
    ratioInterval(
      ofOwner.map((list) => list.filter((rank) => rank <= k).length),
      chances,
    );
  const [r1, r5, r10] = RECALL_KS;
  return {
    r1: recallAt(ranks, r1),
    r5: recallAt(ranks, r5),
    r10: recallAt(ranks, r10),
    medianRank: median(ranks),
    interval: {
      r1: recallInterval(r1),
      r5: recallInterval(r5),
      r10: recallInterval(r10),
      medianRank: bootstrapInterval(owners, (units) =>
        median([...units].flatMap((unit) => ofOwner[unit] ?? [])),
      ),
    },
    curve: CURVE_KS.map((k) => ({ k, recall: recallAt(ranks, k) })),
  };
}

/** Turns "n more are done" into "n of all are done". */
export function counter(
  total: number,
  report: (done: number) => void,
): NonNullable<EncodeOptions['onProgress']> {
  let done = 0;
  return (more) => {
    done = Math.min(total, done + more);
    report(done);
  };
}
