import { z } from 'zod';
import type { Pool } from 'pg';
import { PlatformError } from '../../platform/errors.ts';
import { joinRows } from '../../models/rows.ts';
import type { ImageRange, IndexedImages } from '../../store/image-ranges.ts';
import { putRunLabels, readRunLabels, type StoredRunLabel } from '../../store/run-tags.ts';
import type { TagRunRecord } from '../../store/tag-runs.ts';
import type { LabelRecord } from '../../store/vocabularies.ts';
import { calibrationShape, isCalibrated } from './calibration.ts';
import { TagChooser } from './choose-tags.ts';
import type { ChosenRange } from './commit-range.ts';
import { ancestorColumns, type LabelRule } from './label-rules.ts';
import { prepareLabels, readBackground, type LabelEncoder } from './prepared-labels.ts';
import type { PreparedRun, RunOptions } from './prepare-run.ts';
import { readOptions } from './run-request.ts';
import { ImageScorer } from './score-images.ts';

/** Writes down what a run goes by, for every worker to keep to it. */
export function fixRun(
  pool: Pool,
  { id }: TagRunRecord,
  { prepared }: PreparedRun,
  rules: readonly LabelRule[],
): Promise<void> {
  const labels = rules.map(({ labelId, threshold, calibration, rates }, column) => {
    const vectorSha256 = prepared.sha256s[column] ?? new Uint8Array();
    const label = { labelId, threshold, calibration, rates, vectorSha256 };
    return { ...label, isCalibrated: isCalibrated(calibration) };
  });
  return putRunLabels(pool, id, labels);
}

const rateShape = z.array(z.number());

/** Scores ranges of a run's images by what was fixed when it was planned, and chooses their tags. */
export class RunScorer {
  readonly #run: TagRunRecord;
  readonly #rules: readonly LabelRule[];
  readonly #options: RunOptions;
  readonly #scorer: ImageScorer;

  private constructor(run: TagRunRecord, rules: readonly LabelRule[], scorer: ImageScorer) {
    this.#run = run;
    this.#rules = rules;
    this.#options = readOptions(run.options);
    this.#scorer = scorer;
  }

  /** `getTexts` is asked only when vectors aren't kept any more. */
  static async load(
    pool: Pool,
    run: TagRunRecord,
    labels: readonly LabelRecord[],
    getTexts: () => Promise<LabelEncoder>,
  ): Promise<RunScorer> {
    const stored = await readKept(pool, run, labels, getTexts);
    const vectors = stored.map(({ vector }) => vector ?? new Float32Array());
    const dimensions = vectors[0]?.length ?? 0;
    const background = await readBackground({ ...run, db: pool, getTexts });
    const scorer = await ImageScorer.load({
      ...{ vectors: joinRows(vectors, dimensions), background, dimensions },
    });
    return new RunScorer(run, toRules(stored, labels), scorer);
  }

  /** Changes nothing. */
  async choose(
    pool: Pool,
    range: Pick<ImageRange, 'number' | 'from' | 'to'>,
    signal: AbortSignal,
  ): Promise<ChosenRange> {
    const { id, collectionId, visionSpaceId } = this.#run;
    const chooser = new TagChooser(this.#rules, this.#options, { seed: id });
    const images: IndexedImages = { collectionId, visionSpaceId, filter: this.#options.filter };
    const ids = [];
    for await (const block of this.#scorer.scoreRange(pool, images, range, signal)) {
      chooser.add(block);
      ids.push(...block.ids);
    }
    return {
      number: range.number,
      ids,
      chooser,
      labelIds: this.#rules.map((rule) => rule.labelId),
    };
  }

  dispose(): Promise<void> {
    return this.#scorer.dispose();
  }
}

/** The vectors that planning fixed. They are derived data and may have been deleted: then they are made again. */
async function readKept(
  pool: Pool,
  run: TagRunRecord,
  labels: readonly LabelRecord[],
  getTexts: () => Promise<LabelEncoder>,
): Promise<readonly StoredRunLabel[]> {
  const isWhole = (all: readonly StoredRunLabel[]): boolean =>
    all.every(({ vector }) => vector !== null);
  const stored = await readRunLabels(pool, run);
  if (isWhole(stored)) return stored;
  await prepareLabels({ ...run, db: pool, texts: await getTexts() }, labels);
  const again = await readRunLabels(pool, run);
  if (isWhole(again)) return again;
  const message =
    'The vectors of labels were deleted, and their examples have changed since: start another run.';
  throw new PlatformError('BAD_USER_INPUT', message);
}

function toRules(
  stored: readonly StoredRunLabel[],
  labels: readonly LabelRecord[],
): readonly LabelRule[] {
  const parents = new Map(labels.map(({ id, parentIds }) => [id, parentIds]));
  const inOrder = stored.map(({ labelId: id }) => ({ id, parentIds: parents.get(id) ?? [] }));
  const above = ancestorColumns(inOrder);
  return stored.map(({ labelId, threshold, calibration, rates }, column) => ({
    ...{ labelId, threshold, ancestors: above[column] ?? [] },
    calibration: calibrationShape.parse(calibration),
    rates: rateShape.parse(rates),
  }));
}
