import { PlatformError } from '../../platform/errors.ts';
import type { Bundle } from '../bundle.ts';
import { readCaptionedPhotos } from '../dataset.ts';
import {
  photoFeatures,
  PLAIN_VIEW,
  textFeatures,
  TRAINING_VIEWS,
  type FeatureOptions,
  type NamedView,
} from './features.ts';
import { hasText } from '../tokenizer.ts';
import { readLabelPrototypes, type LabelPrototypes } from './label-prototypes.ts';

/** Captions and photos as the trainer sees them: feature rows, and which caption belongs to which photo. */
export interface CaptionedFeatures {
  /** Language features, [captions, language dimensions]. */
  readonly captions: Float32Array;
  /** Per view: embeddings, [photos, dimensions]. */
  readonly views: readonly Float32Array[];
  /** Per photo: the rows of its captions. */
  readonly captionsOf: readonly (readonly number[])[];
}

export interface TrainingData {
  readonly train: CaptionedFeatures;
  readonly dev: CaptionedFeatures;
  readonly prototypes: LabelPrototypes | null;
  readonly skipped: readonly { readonly path: string; readonly error: PlatformError }[];
}

export type FeaturePhase = 'photo features' | 'caption features' | 'label features';

export interface TrainingDataOptions {
  readonly dataset: string;
  readonly trainSplit: string;
  readonly devSplit: string;
  readonly withPrototypes: boolean;
  readonly cache: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress: (phase: FeaturePhase, done: number, total: number) => void;
}

/** Reads the dataset and everything's features, from the cache where they are. */
export async function loadTrainingData(
  bundle: Bundle,
  options: TrainingDataOptions,
): Promise<TrainingData> {
  const { dataset, trainSplit, devSplit, cache, signal, onProgress } = options;
  const forPhase = (phase: FeaturePhase): FeatureOptions => ({
    cache,
    signal,
    onProgress: (done, total) => {
      onProgress(phase, done, total);
    },
  });
  const load = async (split: string, views: readonly NamedView[]) => {
    const all = await readCaptionedPhotos(dataset, split);
    const photos = all.filter(({ captions }) => captions.some(hasText));
    const paths = photos.map(({ path }) => path);
    const seen = await photoFeatures(bundle, paths, views, forPhase('photo features'));
    if (seen.readable.length === 0) {
      throw new PlatformError(
        'INVALID_DATASET',
        `No photo of split "${split}" of ${dataset} can be read.`,
      );
    }
    const captionsOf: number[][] = [];
    const texts: string[] = [];
    for (const photo of seen.readable) {
      const captions = (photos[photo]?.captions ?? []).filter(hasText);
      captionsOf.push(captions.map((_, i) => texts.length + i));
      texts.push(...captions);
    }
    const captions = await textFeatures(bundle, texts, forPhase('caption features'));
    return { features: { captions, views: seen.views, captionsOf }, unreadable: seen.unreadable };
  };

  await readCaptionedPhotos(dataset, devSplit); // before the work on the other split
  const train = await load(trainSplit, TRAINING_VIEWS);
  const dev = await load(devSplit, [PLAIN_VIEW]);
  const prototypes = options.withPrototypes
    ? await readLabelPrototypes(bundle, forPhase('label features'))
    : null;
  return {
    train: train.features,
    dev: dev.features,
    prototypes,
    skipped: [...train.unreadable, ...dev.unreadable],
  };
}
