import { asTagRunId, type CollectionId, type TagRunId } from './ids.ts';
import { readRanges } from './run-tags.ts';
import { storableJson } from './storable-json.ts';
import type { TagRunRecord, TagRunState } from './tag-runs.ts';
import type { Queryable } from './transaction.ts';

/*
 * The moments in which what a collection's images have for tags changes as a whole. Each is one transaction that has the collection's
 * lock, so that any two happen one after the other.
 *
 * superseded_by names the run without filter that shows instead of a run. A run that is reverted hands those it stood for on to the one
 * that stands for itself. So at any time exactly those runs show that would if the reverted ones had never been.
 */

/** One at a time applies or reverts runs of a collection. */
export async function lockTags(client: Queryable, collectionId: CollectionId): Promise<void> {
  const lock = `hashtextextended('tags of ' || $1::text, 0)`;
  await client.query(`SELECT pg_advisory_xact_lock(${lock})`, [collectionId]);
}

/** Whether rows may be written for a run: it is BUILDING, and stays so until the transaction ends. */
export async function holdBuilding(client: Queryable, id: TagRunId): Promise<boolean> {
  const { rows } = await client.query<{ state: TagRunState; isKept: boolean }>(
    `SELECT state, EXISTS (SELECT FROM generations g WHERE g.collection_id = r.collection_id
       AND g.vision_space_id = r.vision_space_id AND g.discarded_at IS NULL) AS "isKept"
     FROM tag_runs r WHERE id = $1 FOR SHARE OF r`,
    [id],
  );
  return rows[0]?.state === 'BUILDING' && rows[0].isKept;
}

/** Shows a run's tags, and where it was without filter hides those of the vocabulary's earlier runs. False: it isn't BUILDING any more. */
export async function applyTagRun(
  client: Queryable,
  run: Pick<TagRunRecord, 'id' | 'collectionId'>,
  { isWhole, now }: { readonly isWhole: boolean; readonly now: Date },
): Promise<boolean> {
  await lockTags(client, run.collectionId);
  // The view takes the newest run: two that are applied within a millisecond have an order, too.
  const { rowCount } = await client.query(
    `UPDATE tag_runs SET state = 'APPLIED', applied_at = greatest($2, (
       SELECT max(applied_at) + interval '1 millisecond' FROM tag_runs WHERE collection_id = $3))
     WHERE id = $1 AND state = 'BUILDING'`,
    [run.id, now, run.collectionId],
  );
  if (rowCount !== 1) return false;
  if (isWhole) await supersedeEarlier(client, run.id);
  await addUp(client, run.id);
  return true;
}

async function supersedeEarlier(client: Queryable, id: TagRunId): Promise<void> {
  await client.query(
    `UPDATE tag_runs earlier SET superseded_by = run.id FROM tag_runs run
     WHERE run.id = $1 AND earlier.id <> run.id AND earlier.collection_id = run.collection_id
       AND earlier.vocabulary_id = run.vocabulary_id AND earlier.state = 'APPLIED' AND earlier.superseded_by IS NULL`,
    [id],
  );
}

/** Counts of the ranges become those of the run and its labels. */
async function addUp(client: Queryable, id: TagRunId): Promise<void> {
  const sum = { images: 0, tagged: 0, tags: 0 };
  const [counts, strata]: [number[], number[]] = [[], []];
  for await (const range of readRanges(client, id)) {
    sum.images += range.images;
    sum.tagged += range.tagged;
    sum.tags += range.tags;
    range.counts.forEach((count, i) => (counts[i] = (counts[i] ?? 0) + count));
    range.strata.forEach((count, i) => (strata[i] = (strata[i] ?? 0) + count));
  }
  await client.query(
    'UPDATE tag_runs SET image_count = $2, tagged_count = $3, tag_count = $4 WHERE id = $1',
    [id, sum.images, sum.tagged, sum.tags],
  );
  const levels = strata.length / Math.max(1, counts.length);
  const ofLabel = (i: number): readonly number[] => strata.slice(i * levels, (i + 1) * levels);
  await client.query(
    `UPDATE run_labels SET count = coalesce(new.count, 0), strata = coalesce(new.strata, '[]')
     FROM run_labels own LEFT JOIN unnest($2::int[], $3::int[], $4::jsonb[]) AS new(position, count, strata)
       USING (position)
     WHERE own.run_id = $1 AND run_labels.run_id = $1 AND run_labels.label_id = own.label_id`,
    [id, [...counts.keys()], counts, counts.map((_, i) => storableJson(ofLabel(i)))],
  );
  await client.query('DELETE FROM run_ranges WHERE run_id = $1', [id]);
}

/** Hides a run's tags for good. False: it isn't APPLIED (any more). */
export async function revertTagRun(
  client: Queryable,
  run: Pick<TagRunRecord, 'id' | 'collectionId'>,
  { by, now }: { readonly by: string; readonly now: Date },
): Promise<boolean> {
  await lockTags(client, run.collectionId);
  const { rowCount } = await client.query(
    `UPDATE tag_runs SET state = 'REVERTED', reverted_at = $2, reverted_by = $3
     WHERE id = $1 AND state = 'APPLIED'`,
    [run.id, now, by],
  );
  if (rowCount !== 1) return false;
  await client.query(
    `UPDATE tag_runs SET superseded_by = (SELECT superseded_by FROM tag_runs WHERE id = $1)
     WHERE superseded_by = $1`,
    [run.id],
  );
  return true;
}

/** What failed may be retried for so long: then the rows of a run that was never applied go. */
const RETRIABLE_MS = 24 * 3_600_000;

/** Gives up runs that nothing will come of: their jobs were cancelled or deleted, or failed long ago. */
export async function abandonTagRuns(db: Queryable, now: Date): Promise<void> {
  await db.query(
    `UPDATE tag_runs SET state = 'REVERTED', reverted_at = $1 WHERE id IN (
       SELECT r.id FROM tag_runs r LEFT JOIN jobs j ON j.id = r.job_id
       WHERE r.state = 'BUILDING' AND (j.id IS NULL OR j.state = 'CANCELLED'
         OR j.state IN ('SUCCEEDED', 'FAILED') AND j.finished_at < $2))`,
    [now, new Date(now.getTime() - RETRIABLE_MS)],
  );
}

/** Runs whose rows are to be deleted, oldest first. */
export async function listUnreclaimedRuns(db: Queryable): Promise<readonly TagRunId[]> {
  const { rows } = await db.query<{ id: string }>(
    `SELECT id FROM tag_runs WHERE state = 'REVERTED' AND reclaimed_at IS NULL ORDER BY reverted_at`,
  );
  return rows.map(({ id }) => asTagRunId(id));
}

/** Rows that `reclaimTagRun` deletes at once: some hundred milliseconds. */
export const RECLAIM_BATCH = 20_000;

/**
 * Deletes up to `RECLAIM_BATCH` tags of a reverted run, and with the last of them its samples, and what it went by where it was never
 * applied; gives how many tags. What another deletes at the
 * same time is passed over, so that nobody waits.
 */
export async function reclaimTagRun(db: Queryable, id: TagRunId, now: Date): Promise<number> {
  const { rowCount } = await db.query(
    `DELETE FROM run_tags WHERE ctid = ANY (ARRAY (
       SELECT t.ctid FROM run_tags t JOIN tag_runs r ON r.id = t.run_id
       WHERE t.run_id = $1 AND r.state = 'REVERTED' LIMIT $2 FOR UPDATE OF t SKIP LOCKED))`,
    [id, RECLAIM_BATCH],
  );
  if (rowCount === RECLAIM_BATCH) return rowCount;
  for (const table of ['run_samples', 'run_ranges']) {
    await db.query(
      `DELETE FROM ${table} WHERE run_id IN (SELECT id FROM tag_runs WHERE id = $1 AND state = 'REVERTED')`,
      [id],
    );
  }
  await db.query(
    `DELETE FROM run_labels WHERE run_id IN (
       SELECT id FROM tag_runs WHERE id = $1 AND state = 'REVERTED' AND applied_at IS NULL)`,
    [id],
  );
  await db.query(
    `UPDATE tag_runs SET reclaimed_at = $2 WHERE id = $1 AND state = 'REVERTED'
       AND NOT EXISTS (SELECT FROM run_tags WHERE run_id = $1)`,
    [id, now],
  );
  return rowCount ?? 0;
}
