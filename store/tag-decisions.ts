import { PlatformError } from '../platform/errors.ts';
import type { Verdict } from './generated/prisma/client.ts';
import { asImageId, asLabelId, type ImageId, type LabelId } from './ids.ts';
import { findAbove, findBelow, type Relatives } from './label-hierarchy.ts';
import type { Queryable } from './transaction.ts';

export type { Verdict };

/** What a person says about an image and a label; null forgets what was said. */
export interface TagVerdict {
  readonly imageId: ImageId;
  readonly labelId: LabelId;
  readonly verdict: Verdict | null;
  /** Set by hand; else a click on what a run or an import said. */
  readonly isManual: boolean;
  /** Drawn at random within its stratum. */
  readonly isSampled: boolean;
}

export interface VerdictChanges {
  /** Pairs of which something else is said now, those that came along included. */
  readonly changed: readonly Pair[];
  /** Put again, these restore exactly what was said before; by image. */
  readonly undo: readonly TagVerdict[];
}

export interface Pair {
  readonly imageId: ImageId;
  readonly labelId: LabelId;
}

export interface Decider {
  /** Prefix of the API key, or "command line". */
  readonly decidedBy: string;
  readonly now: Date;
}

/**
 * Stores verdicts. An accepted label brings the labels above it that nobody decided on, a rejected one takes those below it along that
 * the image has; what is given itself is never overruled so, and of two verdicts on a pair the last counts. For a transaction; images
 * are locked, so that people who review the same one wait for each other. Throws `NOT_FOUND` when an image or label is gone.
 */
export async function putVerdicts(
  client: Queryable,
  verdicts: readonly TagVerdict[],
  decider: Decider,
): Promise<VerdictChanges> {
  const given = new Map(verdicts.map((verdict) => [keyOf(verdict), verdict]));
  const imageIds = [...new Set(verdicts.map(({ imageId }) => imageId))];
  await lockForVerdicts(client, imageIds);
  await holdLabels(client, [...new Set(verdicts.map(({ labelId }) => labelId))]);
  const relatives = await findRelatives(client, verdicts);
  const before = await readDecisions(client, imageIds, [...relatives.all]);
  const tagged = await readTagged(client, imageIds, [...relatives.below.values()].flat());
  const known = { before, tagged, relatives };
  const all = new Map<string, TagVerdict>();
  for (const verdict of given.values()) {
    for (const pair of takenAlong(verdict, known)) all.set(keyOf(pair), pair);
  }
  for (const [key, verdict] of given) all.set(key, verdict);
  const changes = [...all.values()].filter((one) => isChange(one, before.get(keyOf(one))));
  await write(client, changes, decider);
  return { changed: changes, undo: undoOf(changes, known) };
}

interface Knowledge {
  readonly before: Decided;
  readonly tagged: ReadonlySet<string>;
  readonly relatives: Hierarchy;
}

/** What was said already takes nothing along again: so an undo may name it. */
function takenAlong(
  one: TagVerdict,
  { before, tagged, relatives }: Knowledge,
): readonly TagVerdict[] {
  if (one.verdict === null || before.get(keyOf(one))?.verdict === one.verdict) return [];
  return one.verdict === 'ACCEPTED'
    ? pairsOf(one, relatives.above).filter((pair) => !before.has(keyOf(pair)))
    : pairsOf(one, relatives.below).filter((pair) => tagged.has(keyOf(pair)));
}

function keyOf({ imageId, labelId }: Pair): string {
  return `${imageId} ${labelId}`;
}

interface Hierarchy {
  readonly above: Relatives;
  readonly below: Relatives;
  /** The labels themselves and all above and below. */
  readonly all: ReadonlySet<LabelId>;
}

async function findRelatives(db: Queryable, verdicts: readonly TagVerdict[]): Promise<Hierarchy> {
  const labels = [...new Set(verdicts.map(({ labelId }) => labelId))];
  const below = await findBelow(db, labels);
  const above = await findAbove(db, [...labels, ...[...below.values()].flat()]);
  const all = new Set([...labels, ...[...above.values(), ...below.values()].flat()]);
  return { above, below, all };
}

function pairsOf(verdict: TagVerdict, relatives: Relatives): readonly TagVerdict[] {
  return (relatives.get(verdict.labelId) ?? []).map((labelId) => ({
    ...{ imageId: verdict.imageId, labelId, verdict: verdict.verdict },
    ...{ isManual: verdict.isManual, isSampled: false },
  }));
}

/**
 * Makes others who decide on these images wait until the transaction ends. In the order in which images are indexed and deleted, so that
 * nobody waits in a circle. Throws `NOT_FOUND`.
 */
export async function lockForVerdicts(client: Queryable, ids: readonly ImageId[]): Promise<void> {
  const { rowCount } = await client.query(
    'SELECT FROM images WHERE id = ANY($1::bigint[]) ORDER BY path, id FOR NO KEY UPDATE',
    [ids],
  );
  if (rowCount === ids.length) return;
  throw new PlatformError('NOT_FOUND', 'Some of these images were deleted meanwhile.');
}

/** Their vocabulary isn't deleted before the transaction ends. */
async function holdLabels(client: Queryable, ids: readonly LabelId[]): Promise<void> {
  const { rowCount } = await client.query(
    'SELECT FROM labels WHERE id = ANY($1::int[]) ORDER BY id FOR KEY SHARE',
    [ids],
  );
  if (rowCount === ids.length) return;
  throw new PlatformError('NOT_FOUND', 'Some of these labels were deleted meanwhile.');
}

type Decided = ReadonlyMap<string, TagVerdict>;

async function readDecisions(
  db: Queryable,
  imageIds: readonly ImageId[],
  labelIds: readonly LabelId[],
): Promise<Decided> {
  const { rows } = await db.query<DecisionRow>(
    `SELECT image_id, label_id, verdict, is_manual, is_sampled FROM tag_decisions
     WHERE image_id = ANY($1::bigint[]) AND label_id = ANY($2::int[])`,
    [imageIds, labelIds],
  );
  return new Map(rows.map(toVerdict).map((verdict) => [keyOf(verdict), verdict]));
}

interface DecisionRow {
  readonly image_id: string;
  readonly label_id: number;
  readonly verdict: Verdict;
  readonly is_manual: boolean;
  readonly is_sampled: boolean;
}

function toVerdict(row: DecisionRow): TagVerdict {
  return {
    ...{ imageId: asImageId(row.image_id), labelId: asLabelId(row.label_id) },
    ...{ verdict: row.verdict, isManual: row.is_manual, isSampled: row.is_sampled },
  };
}

/** Which of the pairs are tags. */
async function readTagged(
  db: Queryable,
  imageIds: readonly ImageId[],
  labelIds: readonly LabelId[],
): Promise<ReadonlySet<string>> {
  if (labelIds.length === 0) return new Set();
  const { rows } = await db.query<Pick<DecisionRow, 'image_id' | 'label_id'>>(
    `SELECT image_id, label_id FROM image_tags
     WHERE image_id = ANY($1::bigint[]) AND label_id = ANY($2::int[])`,
    [imageIds, labelIds],
  );
  return new Set(rows.map((row) => `${row.image_id} ${row.label_id}`));
}

function isChange(one: TagVerdict, before: TagVerdict | undefined): boolean {
  if (one.verdict === null) return before !== undefined;
  return (
    before?.verdict !== one.verdict ||
    before.isManual !== one.isManual ||
    before.isSampled !== one.isSampled
  );
}

async function write(
  client: Queryable,
  changes: readonly TagVerdict[],
  { decidedBy, now }: Decider,
): Promise<void> {
  const cleared = changes.filter(({ verdict }) => verdict === null);
  await client.query(
    `DELETE FROM tag_decisions d USING unnest($1::bigint[], $2::int[]) AS gone (image_id, label_id)
     WHERE d.image_id = gone.image_id AND d.label_id = gone.label_id`,
    [cleared.map(({ imageId }) => imageId), cleared.map(({ labelId }) => labelId)],
  );
  const put = changes.filter(({ verdict }) => verdict !== null);
  await client.query(
    `INSERT INTO tag_decisions (image_id, label_id, verdict, is_manual, is_sampled, decided_by, decided_at)
     SELECT *, $6, $7::timestamptz FROM unnest($1::bigint[], $2::int[], $3::verdict[], $4::boolean[], $5::boolean[])
     ON CONFLICT (image_id, label_id) DO UPDATE SET verdict = excluded.verdict, is_manual = excluded.is_manual,
       is_sampled = excluded.is_sampled, decided_by = excluded.decided_by, decided_at = excluded.decided_at`,
    [
      ...[put.map(({ imageId }) => imageId), put.map(({ labelId }) => labelId)],
      ...[put.map(({ verdict }) => verdict), put.map(({ isManual }) => isManual)],
      ...[put.map(({ isSampled }) => isSampled), decidedBy, now],
    ],
  );
}

/** What was said before, and of the pairs that saying it again would take along, what was said of those. */
function undoOf(
  changes: readonly TagVerdict[],
  { before, tagged, relatives }: Knowledge,
): readonly TagVerdict[] {
  const undo = new Map<string, TagVerdict>();
  const add = (pair: TagVerdict): void => {
    const key = keyOf(pair);
    undo.set(key, before.get(key) ?? { ...pair, verdict: null, isSampled: false });
  };
  for (const change of changes) {
    add(change);
    const said = before.get(keyOf(change))?.verdict;
    if (said === 'ACCEPTED') pairsOf(change, relatives.above).forEach(add);
    if (said === 'REJECTED')
      pairsOf(change, relatives.below)
        .filter((pair) => tagged.has(keyOf(pair)) || before.has(keyOf(pair)))
        .forEach(add);
  }
  return [...undo.values()].sort((a, b) => Number(a.imageId - b.imageId));
}
