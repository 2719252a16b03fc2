import { createHash } from 'node:crypto';
import { createSearchableCollection } from '../../indexer/collections.ts';
import { JOB_KINDS, type JobServices } from '../../indexer/jobs/index.ts';
import { JobRunner } from '../../indexer/jobs/runner.ts';
import { getTextModel } from '../../indexer/jobs/tag.ts';
import { evidenceOf, probabilityOf, type Calibration } from '../../indexer/tagging/calibration.ts';
import { refitLabels } from '../../indexer/tagging/refit-labels.ts';
import { binsOf, calibrationError } from '../../indexer/tagging/reliability.ts';
import { reportTags, type LabelReportRecord } from '../../indexer/tagging/report.ts';
import { reviewTags } from '../../indexer/tagging/review-tags.ts';
import { startTagRun } from '../../indexer/tagging/start-run.ts';
import { STRATA } from '../../indexer/tagging/strata.ts';
import { cosine, type Embedding } from '../../models/embedding.ts';
import { createLogger } from '../../platform/logger.ts';
import { recordIndexed } from '../../store/changes.ts';
import type { CollectionRecord } from '../../store/collections.ts';
import { addEmbeddings } from '../../store/embeddings.ts';
import { findLiveGeneration } from '../../store/generations.ts';
import type { ImageId, LabelId } from '../../store/ids.ts';
import { putImages } from '../../store/images.ts';
import { putVocabulary } from '../../store/put-vocabulary.ts';
import { listMixedItems } from '../../indexer/tagging/mixed-queue.ts';
import { inTransaction } from '../../store/transaction.ts';
import type { VocabularyRecord } from '../../store/vocabularies.ts';
import { findLabelsByNames } from '../../store/vocabulary-labels.ts';
import type { LabelledPhotos } from './captioned-embeddings.ts';

export interface ReviewedLabel {
  readonly label: string;
  /** Photos that show it. */
  readonly shown: number;
  readonly clicks: number;
  /** Expected calibration error over all photos, before the clicks and after. */
  readonly errorBefore: number;
  readonly errorAfter: number;
  /** Of the tags that were reviewed, and of those of a second run after the clicks. */
  readonly runs: readonly ReviewedRun[];
}

export interface ReviewedRun {
  /** The share of its tags that are right, all of them looked at; null: it gave none. */
  readonly precision: number | null;
  readonly recall: number;
  readonly reported: LabelReportRecord;
}

export interface ReviewPlan {
  /** Places in the photos' labels. */
  readonly labels: readonly number[];
  /** Of each label, in the queue's usual order. */
  readonly clicks: number;
}

const NAME = 'simulated review';
const CLICKS_A_PAGE = 6;

/**
 * Indexes photos with the embeddings they have, tags them, and reviews the tags as a person would who follows the queue and knows what
 * the captions say; then tags them again.
 */
export async function simulateReviews(
  services: JobServices,
  photos: LabelledPhotos,
  { labels, clicks }: ReviewPlan,
): Promise<readonly ReviewedLabel[]> {
  const { database, models } = services;
  const collection = await createSearchableCollection(database, models.main, { name: NAME });
  const ids = await index(services, collection, photos);
  const names = labels.map((place) => photos.labels[place] ?? '');
  const vocabulary = await makeVocabulary(services, names);
  const shows = (place: number): ReadonlySet<ImageId> =>
    new Set(ids.filter((_, i) => photos.photos[i]?.shows[place]));
  const truths = new Map(labels.map((place, i) => [names[i] ?? '', shows(place)]));
  const reviewed = { services, collection, vocabulary, truths };
  const key = { vocabularyId: vocabulary.id, version: vocabulary.version };
  const labelIds = new Map(
    [...(await findLabelsByNames(database.pool, key, names))].map(([name, { id }]) => [name, id]),
  );
  const all = [...labelIds.values()];

  await tagAll(reviewed);
  const before = await refit(reviewed, all);
  for (const [name, id] of labelIds) await review(reviewed, name, id, clicks);
  const first = await measure(reviewed);
  const after = await refit(reviewed, all);
  await tagAll(reviewed);
  const second = await measure(reviewed);

  return labels.map((place, i) => {
    const name = names[i] ?? '';
    const id = labelIds.get(name);
    const error = (fits: ReadonlyMap<LabelId, Calibration>): number =>
      errorOf(photos, place, id === undefined ? undefined : fits.get(id));
    return {
      ...{ label: name, shown: truths.get(name)?.size ?? 0, clicks },
      ...{ errorBefore: error(before), errorAfter: error(after) },
      runs: [first, second].flatMap((run) => run.get(name) ?? []),
    };
  });
}

interface Reviewing {
  readonly services: JobServices;
  readonly collection: CollectionRecord;
  readonly vocabulary: VocabularyRecord;
  /** By label: the images that show it. */
  readonly truths: ReadonlyMap<string, ReadonlySet<ImageId>>;
}

async function index(
  { database }: JobServices,
  { id: collectionId }: CollectionRecord,
  { photos }: LabelledPhotos,
): Promise<readonly ImageId[]> {
  const live = await findLiveGeneration(database.prisma, collectionId);
  if (live === null) throw new Error('A searchable collection has a live generation.');
  const { visionSpaceId } = live;
  const sha256s = photos.map(({ path }) => createHash('sha256').update(path).digest());
  return inTransaction(database.pool, async (client) => {
    const ids = await putImages(
      client,
      collectionId,
      photos.map(({ path }, i) => ({
        ...{ sourceId: null, path, sha256: sha256s[i] ?? Buffer.alloc(32) },
        ...{ width: 40, height: 30, bytes: 1234, format: 'JPEG' as const, takenAt: null },
        ...{ metadata: {}, fileMtimeNs: null },
      })),
    );
    const vectors = Float32Array.from(photos.flatMap(({ embedding }) => [...embedding]));
    await addEmbeddings(client, { visionSpaceId, sha256s, vectors });
    await recordIndexed(client, { collectionId, visionSpaceId }, ids);
    return ids;
  });
}

async function makeVocabulary(
  { database }: JobServices,
  names: readonly string[],
): Promise<VocabularyRecord> {
  const labels = names.map((name) => ({
    ...{ name, prompts: [], negativePrompts: [], exampleImageIds: [], threshold: null },
    parents: [],
  }));
  const { vocabulary } = await putVocabulary(database.pool, {
    ...{ name: NAME, description: null, labels, ifVersion: null, createdBy: 'test' },
    now: new Date(),
  });
  return vocabulary;
}

async function tagAll({ services, collection, vocabulary, truths }: Reviewing): Promise<void> {
  const options = { maxTagsPerImage: truths.size, minTagsPerImage: 0, minProbability: 0.5 };
  const job = await startTagRun(
    services.database,
    {
      ...{ collectionId: collection.id, vocabulary, version: null },
      options: { ...options, filter: {} },
    },
    { createdBy: 'test', idempotencyKey: null, now: new Date() },
  );
  const logger = createLogger({ level: 'silent' });
  const { database } = services;
  const runner = new JobRunner({ kinds: JOB_KINDS, database, services, logger, pollMs: 50 });
  const { state } = await runner.runJob(job.id, new AbortController().signal);
  if (state !== 'SUCCEEDED') throw new Error(`The tag run ended ${state}.`);
}

async function refit(
  { services, collection }: Reviewing,
  labelIds: readonly LabelId[],
): Promise<ReadonlyMap<LabelId, Calibration>> {
  const { database } = services;
  const getTexts = (id: Parameters<typeof getTextModel>[1]) => getTextModel(services, id);
  const fitted = await refitLabels({ database, getTexts }, collection.id, labelIds);
  return new Map(fitted.map(({ label, calibration }) => [label.id, calibration]));
}

/** Pages of the queue in turn: what is uncertain, what is drawn. */
async function review(
  { services, collection, vocabulary, truths }: Reviewing,
  label: string,
  labelId: LabelId,
  clicks: number,
): Promise<void> {
  const { pool } = services.database;
  const filter = {
    ...{ collectionId: collection.id, vocabularyId: vocabulary.id, labelIds: [labelId] },
    strata: STRATA,
  };
  for (let page = 0; page * CLICKS_A_PAGE < clicks; page++) {
    const limit = Math.min(CLICKS_A_PAGE, clicks - page * CLICKS_A_PAGE);
    const items = await listMixedItems(pool, filter, { after: null, limit });
    if (items.length === 0) return;
    const verdicts = items.map(({ imageId, isSampled }) => ({
      ...{ imageId, vocabulary: vocabulary.name, label, isSampled, isManual: false },
      verdict: truths.get(label)?.has(imageId) ? ('ACCEPTED' as const) : ('REJECTED' as const),
    }));
    const collectionOf = new Map(items.map(({ imageId }) => [imageId, collection.id]));
    await reviewTags(pool, { verdicts, collectionOf, decidedBy: 'test', now: new Date() });
  }
}

/** What a run's report says of each label, and what is true. */
async function measure({
  services,
  collection,
  vocabulary,
  truths,
}: Reviewing): Promise<ReadonlyMap<string, ReviewedRun>> {
  const { pool } = services.database;
  const report = await reportTags(pool, collection, vocabulary.id);
  const { rows } = await pool.query<{ name: string; ids: string[] }>(
    `SELECT l.name, array_agg(t.image_id) AS ids FROM run_tags t JOIN labels l ON l.id = t.label_id
     WHERE t.run_id = $1 GROUP BY l.name`,
    [report.tagRun.id],
  );
  const given = new Map(rows.map(({ name, ids }) => [name, ids.map(BigInt)]));
  return new Map(
    report.labels.map((reported) => {
      const truth: ReadonlySet<bigint> = truths.get(reported.label) ?? new Set();
      const ids = given.get(reported.label) ?? [];
      const right = ids.filter((id) => truth.has(id)).length;
      const precision = ids.length === 0 ? null : right / ids.length;
      return [reported.label, { precision, recall: right / truth.size, reported }];
    }),
  );
}

/** Over all photos. */
function errorOf(
  { photos, vectors, background }: LabelledPhotos,
  place: number,
  calibration: Calibration | undefined,
): number {
  const vector = vectors[place];
  if (vector === undefined || calibration === undefined) return NaN;
  const judged = photos.map(({ embedding, shows }) => {
    const evidence = evidenceOf(
      cosine(vector, embedding),
      cosine(background as Embedding, embedding),
    );
    return { probability: probabilityOf(evidence, calibration), accepted: shows[place] ?? false };
  });
  return calibrationError(binsOf(judged));
}
