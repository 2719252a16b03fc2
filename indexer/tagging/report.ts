import { z } from 'zod';
import type { CollectionRecord } from '../../store/collections.ts';
import type { LabelId, TagRunId, VocabularyId } from '../../store/ids.ts';
import { PlatformError } from '../../platform/errors.ts';
import { groupBy } from '../../platform/group-by.ts';
import {
  countConfusions,
  countTaggedStrata,
  findNewestShownRun,
  readReportedLabels,
  readRunVerdicts,
  type ConfusionRow,
  type ReportedLabel,
  type RunVerdict,
  type TaggedStratum,
} from '../../store/tag-report.ts';
import { findTagRun, type TagRunRecord } from '../../store/tag-runs.ts';
import type { Queryable } from '../../store/transaction.ts';
import { binsOf, calibrationError, type ReliabilityBin } from './reliability.ts';
import { stratumOf, STRATA } from './strata.ts';
import { recallOf, shareOf, type ShareOfPopulation, type Stratum } from './stratified-share.ts';

/** A share with its 95 % interval. */
export interface Estimate {
  /** Null: nothing was looked at. */
  readonly value: number | null;
  readonly low: number;
  readonly high: number;
  readonly sampleSize: number;
}

export interface LabelReportRecord {
  readonly label: string;
  readonly count: number;
  readonly accepted: number;
  readonly rejected: number;
  readonly threshold: number;
  readonly isCalibrated: boolean;
  readonly precision: Estimate;
  readonly recall: Estimate | null;
  readonly calibrationError: number | null;
  readonly reliability: readonly ReliabilityBin[];
  readonly confusedWith: readonly Omit<ConfusionRow, 'labelId'>[];
}

export interface TagReportRecord {
  readonly tagRun: TagRunRecord;
  readonly images: number;
  readonly tags: number;
  readonly precision: Estimate;
  readonly recall: Estimate | null;
  readonly labels: readonly LabelReportRecord[];
}

/** Reports on the newest shown run, of a vocabulary or (null) of any. Throws `NOT_FOUND` when there is none. */
export async function reportTags(
  db: Queryable,
  collection: Pick<CollectionRecord, 'id' | 'name'>,
  vocabularyId: VocabularyId | null,
): Promise<TagReportRecord> {
  const runId = await findNewestShownRun(db, collection.id, vocabularyId);
  const tagRun = runId && (await findTagRun(db, runId));
  if (tagRun) return reportOf(tagRun, await readEvidence(db, tagRun.id));
  const which = vocabularyId === null ? '' : ' with this vocabulary';
  const message = `No tag run${which} shows in "${collection.name}": start one (startTagRun), then report on it.`;
  throw new PlatformError('NOT_FOUND', message);
}

/** What a report is made of. */
export interface ReportEvidence {
  readonly labels: readonly ReportedLabel[];
  readonly tagged: readonly TaggedStratum[];
  readonly verdicts: readonly RunVerdict[];
  readonly confusions: readonly ConfusionRow[];
}

async function readEvidence(db: Queryable, runId: TagRunId): Promise<ReportEvidence> {
  return {
    labels: await readReportedLabels(db, runId),
    tagged: await countTaggedStrata(db, runId, STRATA),
    verdicts: await readRunVerdicts(db, runId),
    confusions: await countConfusions(db, runId),
  };
}

const strataShape = z.array(z.number().min(0)).catch([]);

export function reportOf(tagRun: TagRunRecord, evidence: ReportEvidence): TagReportRecord {
  const verdicts = groupBy(evidence.verdicts, ({ labelId }) => labelId);
  const tagged = groupBy(evidence.tagged, ({ labelId }) => labelId);
  const confusions = groupBy(evidence.confusions, ({ labelId }) => labelId);
  const populations = new Map(
    evidence.labels.map((label) => [
      label.labelId,
      populationsOf(label, tagged.get(label.labelId) ?? [], verdicts.get(label.labelId) ?? []),
    ]),
  );
  const of = <T>(map: ReadonlyMap<LabelId, readonly T[]>, id: LabelId): readonly T[] =>
    map.get(id) ?? [];
  return {
    ...{ tagRun, images: tagRun.imageCount, tags: tagRun.tagCount },
    ...estimate([...populations.values()]),
    labels: evidence.labels.map((label) => ({
      ...describe(label, of(verdicts, label.labelId)),
      ...estimate([populations.get(label.labelId) ?? NOBODY]),
      confusedWith: of(confusions, label.labelId).map(({ label: name, count }) => ({
        ...{ label: name, count },
      })),
    })),
  };
}

/** Below that, an error would mostly be chance. */
const LEAST_JUDGED = 10;

function describe(
  { label, count, threshold, isCalibrated }: ReportedLabel,
  verdicts: readonly RunVerdict[],
): Omit<LabelReportRecord, 'precision' | 'recall' | 'confusedWith'> {
  const judged = verdicts.flatMap(({ probability, verdict }) =>
    probability === null ? [] : [{ probability, accepted: verdict === 'ACCEPTED' }],
  );
  const reliability = binsOf(judged);
  const accepted = verdicts.filter(({ verdict }) => verdict === 'ACCEPTED').length;
  return {
    ...{ label, count, threshold, isCalibrated, accepted, rejected: verdicts.length - accepted },
    ...{ reliability, calibrationError: null },
    ...(judged.length < LEAST_JUDGED ? {} : { calibrationError: calibrationError(reliability) }),
  };
}

/** By stratum: the images a label was given to, and those it wasn't. */
interface Populations {
  readonly tagged: readonly Stratum[];
  readonly others: readonly Stratum[];
}

const NOBODY: Populations = { tagged: [], others: [] };

function populationsOf(
  { strata }: ReportedLabel,
  counts: readonly TaggedStratum[],
  verdicts: readonly RunVerdict[],
): Populations {
  const all = strataShape.parse(strata);
  const tagged = STRATA.map((_, at) => counts.find(({ stratum }) => stratum === at)?.count ?? 0);
  const others = STRATA.map((_, at) => Math.max(0, (all[at] ?? 0) - (tagged[at] ?? 0)));
  const within = (isTagged: boolean, at: number): readonly RunVerdict[] =>
    verdicts.filter((one) => one.isTagged === isTagged && stratumOf(one.probability ?? 0) === at);
  return {
    tagged: tagged.map((size, at) => stratumWith(size, within(true, at))),
    others: others.map((size, at) => stratumWith(size, within(false, at))),
  };
}

function stratumWith(size: number, verdicts: readonly RunVerdict[]): Stratum {
  // What a run neither gave nor drew can't have been drawn from it, whatever it was drawn from before.
  const drawn = verdicts.filter(({ isSampled, probability }) => isSampled && probability !== null);
  const chosen = verdicts.filter(
    ({ isSampled, probability }) => !isSampled || probability === null,
  );
  return { size, drawn: count(drawn), chosen: count(chosen) };
}

function count(verdicts: readonly RunVerdict[]): Stratum['drawn'] {
  const right = verdicts.filter(({ verdict }) => verdict === 'ACCEPTED').length;
  return { count: verdicts.length, right };
}

/** Of one label, or of several together: then their strata of one probability are one. */
function estimate(
  populations: readonly Populations[],
): Pick<TagReportRecord, 'precision' | 'recall'> {
  const found = shareOf(together(populations.map(({ tagged }) => tagged)));
  const isDrawn = populations.some(({ others }) => others.some(({ drawn }) => drawn.count > 0));
  // Whom nobody drew from is taken for what is next to it: for tags the less probable side, for what was left out the more probable.
  const missed = isDrawn
    ? shareOf(together(populations.map(({ others }) => others)).toReversed())
    : null;
  return { precision: toEstimate(found), recall: toRecall(found, missed) };
}

function together(strata: readonly (readonly Stratum[])[]): readonly Stratum[] {
  return STRATA.map((_, at) => strata.map((one) => one[at] ?? EMPTY).reduce(merge, EMPTY));
}

const NONE = { count: 0, right: 0 };
const EMPTY: Stratum = { size: 0, drawn: NONE, chosen: NONE };

function merge(a: Stratum, b: Stratum): Stratum {
  const add = (x: Stratum['drawn'], y: Stratum['drawn']): Stratum['drawn'] => ({
    count: x.count + y.count,
    right: x.right + y.right,
  });
  return {
    size: a.size + b.size,
    drawn: add(a.drawn, b.drawn),
    chosen: add(a.chosen, b.chosen),
  };
}

function toEstimate(share: ShareOfPopulation | null): Estimate {
  if (share === null) return { value: null, low: 0, high: 1, sampleSize: 0 };
  const { value, low, high, sampleSize } = share;
  return { value, low, high, sampleSize };
}

function toRecall(
  found: ShareOfPopulation | null,
  missed: ShareOfPopulation | null,
): Estimate | null {
  const share = found && missed && recallOf(found, missed);
  return share && { ...share, sampleSize: found.sampleSize + missed.sampleSize };
}
