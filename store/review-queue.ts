import {
  asImageId,
  asLabelId,
  asTagRunId,
  type CollectionId,
  type ImageId,
  type LabelId,
  type TagRunId,
  type VocabularyId,
} from './ids.ts';
import type { Queryable } from './transaction.ts';

/** A pair of image and label that nobody has said anything about. */
export interface ReviewItemRecord {
  readonly imageId: ImageId;
  readonly labelId: LabelId;
  readonly label: string;
  readonly vocabulary: string;
  readonly tagRunId: TagRunId;
  readonly score: number;
  readonly probability: number;
  readonly threshold: number;
  /** False: below the threshold, drawn to see what a run missed. */
  readonly isTagged: boolean;
  readonly isSampled: boolean;
  /** What the queue goes by. It is the item's own, so reviewing others doesn't shift it. */
  readonly rank: number;
}

export type ReviewOrder = 'UNCERTAIN' | 'SAMPLED' | 'BEST';

/** A third of all pairs, and the others, whatever their scores: two queues with nothing in common. */
export type ReviewPart = 'third' | 'others';

export interface ReviewFilter {
  readonly collectionId: CollectionId;
  /** Null: of any. */
  readonly vocabularyId: VocabularyId | null;
  /** Null: all. */
  readonly labelIds: readonly LabelId[] | null;
  /** Only what runs gave, nothing that they left out. */
  readonly isTagged?: boolean;
  /** Lower bounds of the strata that runs were counted in. */
  readonly strata: readonly number[];
}

export type ReviewPlace = Pick<ReviewItemRecord, 'rank' | 'imageId' | 'labelId'>;

export interface ReviewPage {
  readonly after: ReviewPlace | null;
  readonly limit: number;
  /** Default: all. */
  readonly part?: ReviewPart;
}

/** The next items of a queue, those after a place. */
export async function listReviewItems(
  db: Queryable,
  filter: ReviewFilter,
  order: ReviewOrder,
  { after, limit, part }: ReviewPage,
): Promise<readonly ReviewItemRecord[]> {
  const runs = await findShownRuns(db, filter);
  const { rows } = await db.query<ReviewRow>(
    `WITH pairs AS (${pairsOf(order, runs.length, { part, isTagged: filter.isTagged })})
     SELECT p.image_id, p.label_id, p.run_id, p.score, p.probability, p.is_tagged, p.rank, p.threshold,
       l.name AS label, v.name AS vocabulary
     FROM (SELECT * FROM pairs
       WHERE $5::float8 IS NULL OR (rank, image_id, label_id) > ($5::float8, $6::bigint, $7::int)
       ORDER BY rank, image_id, label_id LIMIT $4) AS p
     JOIN labels l ON l.id = p.label_id JOIN vocabularies v ON v.id = l.vocabulary_id
     ORDER BY p.rank, p.image_id, p.label_id`,
    [
      ...[runs, filter.labelIds, filter.strata, limit],
      ...[after?.rank ?? null, after?.imageId ?? null, after?.labelId ?? null],
    ],
  );
  return rows.map((row) => toItem(row, order));
}

export async function countReviewItems(
  db: Queryable,
  filter: ReviewFilter,
  order: ReviewOrder,
): Promise<number> {
  const runs = await findShownRuns(db, filter);
  const { rows } = await db.query<{ count: string }>(
    `WITH pairs AS (${pairsOf(order, runs.length, { isTagged: filter.isTagged })})
     SELECT count(*) FROM pairs`,
    [runs, filter.labelIds, filter.strata],
  );
  return Number(rows[0]?.count ?? 0);
}

async function findShownRuns(
  db: Queryable,
  { collectionId, vocabularyId }: ReviewFilter,
): Promise<readonly TagRunId[]> {
  const { rows } = await db.query<{ id: string }>(
    `SELECT id FROM tag_runs WHERE collection_id = $1 AND ($2::uuid IS NULL OR vocabulary_id = $2)
       AND state = 'APPLIED' AND superseded_by IS NULL`,
    [collectionId, vocabularyId],
  );
  return rows.map(({ id }) => asTagRunId(id));
}

/** Evenly from [0, 1), the same for a pair whatever the run. */
const DRAW = `((hashint8extended(t.image_id, t.label_id) >> 11) & 9007199254740991)::float8 / 9007199254740992`;
/** By bits that the draw leaves out. */
const IS_OF_THIRD = `((hashint8extended(t.image_id, t.label_id) & 2047) % 3 = 0)`;
/** How many images of a run are in the pair's stratum, at least 1. */
const IN_STRATUM = `greatest(1, coalesce((r.strata ->> (width_bucket(t.probability::float8, $3::float8[]) - 1))::float8, 1))`;
/** Tags are asked about so many times as often as images without the label: precision is looked at more than recall. */
const TAGS_BEFORE_SAMPLES = 2;
/** Draws from a stratum go with this power of its size: 0 for as many from each, 1 for as it comes. */
const SIZE_COUNTS = 0.5;
/** About so many images without a label a run keeps of each stratum. */
const SAMPLES_A_STRATUM = 20;

/**
 * What orders the queue. A draw times a weight that is the same all over a stratum: so each stratum is drawn from at random, and the
 * weights decide how often: small strata count, because there is what a tag's precision hangs on; large ones count more, because there the
 * probabilities have to be right for most images.
 */
const RANKS: Readonly<Record<ReviewOrder, Readonly<Record<'tag' | 'sample', string>>>> = {
  UNCERTAIN: {
    tag: 'abs(t.probability::float8 - r.threshold)',
    sample: 'abs(t.probability::float8 - r.threshold)',
  },
  BEST: { tag: '-t.probability::float8', sample: '-t.probability::float8' },
  SAMPLED: {
    tag: `${DRAW} * ${IN_STRATUM} ^ (1 - ${SIZE_COUNTS}) / ${TAGS_BEFORE_SAMPLES}`,
    sample: `${DRAW} * least(${SAMPLES_A_STRATUM}, ${IN_STRATUM}) / ${IN_STRATUM} ^ ${SIZE_COUNTS}`,
  },
};

interface Pairs {
  readonly part?: ReviewPart | undefined;
  readonly isTagged: boolean | undefined;
}

/** Pairs of the shown runs ($1) that nobody decided on; of labels ($2). Strata ($3) are named in any case, to have a type. */
function pairsOf(order: ReviewOrder, runs: number, { part, isTagged = false }: Pairs): string {
  const columns = 't.image_id, t.label_id, t.run_id, t.score, t.probability, r.threshold';
  const where = `t.run_id = ANY($1::uuid[]) AND $3::float8[] IS NOT NULL AND ($2::int[] IS NULL OR t.label_id = ANY($2::int[]))
    AND NOT EXISTS (SELECT FROM tag_decisions d WHERE d.image_id = t.image_id AND d.label_id = t.label_id)
    ${part === undefined ? '' : `AND ${IS_OF_THIRD} = ${part === 'third'}`}`;
  const join = 'JOIN run_labels r ON r.run_id = t.run_id AND r.label_id = t.label_id';
  const isNewest = runs > 1 ? `AND ${NO_LATER_RUN}` : '';
  const tags = `SELECT ${columns}, true AS is_tagged, ${RANKS[order].tag} AS rank FROM run_tags t ${join} WHERE ${where} ${isNewest}`;
  if (order === 'BEST' || isTagged) return tags;
  const isNoTag =
    'NOT EXISTS (SELECT FROM run_tags x WHERE x.image_id = t.image_id AND x.label_id = t.label_id AND x.run_id = ANY($1::uuid[]))';
  const isOnce = runs > 1 ? `AND ${NO_LATER_SAMPLE}` : '';
  return `${tags} UNION ALL
    SELECT ${columns}, false, ${RANKS[order].sample} FROM run_samples t ${join} WHERE ${where} AND ${isNoTag} ${isOnce}`;
}

/** Of several runs that gave an image a label the newest counts, as in the view `shown_run_tags`. */
const NO_LATER_RUN = noLater('run_tags');
const NO_LATER_SAMPLE = noLater('run_samples');

function noLater(table: 'run_tags' | 'run_samples'): string {
  return `NOT EXISTS (SELECT FROM ${table} x JOIN tag_runs q ON q.id = x.run_id JOIN tag_runs own ON own.id = t.run_id
    WHERE x.image_id = t.image_id AND x.label_id = t.label_id AND x.run_id = ANY($1::uuid[])
      AND (q.applied_at, q.id) > (own.applied_at, own.id))`;
}

interface ReviewRow {
  readonly image_id: string;
  readonly label_id: number;
  readonly run_id: string;
  readonly label: string;
  readonly vocabulary: string;
  readonly score: number;
  readonly probability: number;
  readonly threshold: number;
  readonly is_tagged: boolean;
  readonly rank: number;
}

function toItem(row: ReviewRow, order: ReviewOrder): ReviewItemRecord {
  const { label, vocabulary, score, probability, threshold, rank } = row;
  return {
    ...{ imageId: asImageId(row.image_id), labelId: asLabelId(row.label_id), label, vocabulary },
    ...{ tagRunId: asTagRunId(row.run_id), score, probability, threshold, rank },
    ...{ isTagged: row.is_tagged, isSampled: order === 'SAMPLED' },
  };
}
