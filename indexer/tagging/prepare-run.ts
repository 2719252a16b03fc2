import type { Pool } from 'pg';
import type { CollectionId, TextModelId, VisionSpaceId, VocabularyId } from '../../store/ids.ts';
import {
  planRanges,
  readSample,
  type ImageRange,
  type IndexedImages,
} from '../../store/image-ranges.ts';
import type { ImageFilter } from '../../store/image-query.ts';
import type { LabelRecord } from '../../store/vocabularies.ts';
import { calibrateLabels, fitCalibrations } from './calibrate-labels.ts';
import { TagChooser } from './choose-tags.ts';
import { rulesOf, type ChoiceOptions, type LabelRule } from './label-rules.ts';
import {
  prepareLabels,
  type LabelEncoder,
  type PreparedLabels,
  type PrepareOptions,
} from './prepared-labels.ts';
import { ImageScorer, RANGE_SIZE } from './score-images.ts';
import { STRATA } from './strata.ts';

/** What a run is over, and goes by. */
export interface RunTarget {
  readonly collectionId: CollectionId;
  readonly visionSpaceId: VisionSpaceId;
  readonly textModelId: TextModelId;
  readonly vocabularyId: VocabularyId;
  readonly version: number;
}

export interface RunOptions extends ChoiceOptions {
  /** Empty: all images. */
  readonly filter: ImageFilter;
}

/** Everything a run and its preview need: the same for both. */
export interface PreparedRun {
  readonly images: IndexedImages;
  readonly ranges: readonly ImageRange[];
  readonly prepared: PreparedLabels;
  readonly rules: readonly LabelRule[];
}

interface PrepareRunOptions {
  /** Whether the calibrations are stored for others to see. */
  readonly isKept: boolean;
}

export async function prepareRun(
  { pool, texts }: { readonly pool: Pool; readonly texts: LabelEncoder },
  { collectionId, visionSpaceId, textModelId }: Omit<RunTarget, 'vocabularyId' | 'version'>,
  labels: readonly LabelRecord[],
  options: RunOptions & PrepareOptions & PrepareRunOptions,
): Promise<PreparedRun> {
  const { filter, signal, onProgress, isKept } = options;
  const services = { db: pool, texts, textModelId, visionSpaceId };
  const prepared = await prepareLabels(services, labels, { signal, onProgress });
  const key = { collectionId, visionSpaceId };
  const calibrate = isKept ? calibrateLabels : fitCalibrations;
  const calibrations = await calibrate({ pool }, { ...key, textModelId }, prepared);
  const images = { ...key, filter };
  const ranges = await planRanges(pool, images, RANGE_SIZE);
  return { images, ranges, prepared, rules: rulesOf(labels, calibrations, options) };
}

/** Images of the sample that the chances of becoming a sample are reckoned from. */
const SAMPLE_SIZE = 2000;
/** Images without a label that are drawn of each of its strata, about: enough to see whether it misses many. */
const SAMPLES_A_STRATUM = 20;

/** The same rules with chances of becoming a sample, from how the labels' probabilities lie in a sample of the collection. */
export async function withRates(
  pool: Pool,
  { images, ranges, prepared, rules }: PreparedRun,
  options: ChoiceOptions,
): Promise<readonly LabelRule[]> {
  const sample = await readSample(pool, images, SAMPLE_SIZE);
  const chooser = new TagChooser(rules, options, { seed: '' });
  const scorer = await ImageScorer.load(prepared);
  try {
    for await (const block of scorer.score(sample.ids, sample.vectors)) {
      chooser.add(block);
      chooser.chosen.clear();
    }
  } finally {
    await scorer.dispose();
  }
  const all = ranges.reduce((sum, { count }) => sum + count, 0);
  const scale = all / Math.max(1, sample.ids.length);
  return rules.map((rule, column) => ({
    ...rule,
    rates: STRATA.map((_, stratum) => {
      const seen = chooser.strata[column * STRATA.length + stratum] ?? 0;
      return Math.min(1, SAMPLES_A_STRATUM / Math.max(1, (seen + 0.5) * scale)); // what a sample lacks, the collection may have
    }),
  }));
}
