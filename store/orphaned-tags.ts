import { asTagRunId, type TagRunId } from './ids.ts';
import type { Queryable } from './transaction.ts';

/** Rows of one statement: some 50 ms. */
const BATCH = 10_000;

/** Runs that are gone and whose tags are there still: of vocabularies that were deleted. Looks at an entry of the index a run, not at every tag. */
export async function findOrphanedRuns(db: Queryable): Promise<readonly TagRunId[]> {
  const { rows } = await db.query<{ id: string }>(
    `WITH RECURSIVE runs AS (
       (SELECT run_id AS id FROM run_tags ORDER BY run_id LIMIT 1)
       UNION ALL
       SELECT (SELECT t.run_id FROM run_tags t WHERE t.run_id > runs.id ORDER BY t.run_id LIMIT 1)
       FROM runs WHERE runs.id IS NOT NULL)
     SELECT id FROM runs WHERE id IS NOT NULL AND NOT EXISTS (SELECT FROM tag_runs r WHERE r.id = runs.id)`,
  );
  return rows.map(({ id }) => asTagRunId(id));
}

/** Deletes a batch of a run's tags, which nobody sees any more; gives how many. What another deletes at the same time is passed over. */
export async function deleteRunTags(db: Queryable, run: TagRunId): Promise<number> {
  const { rowCount } = await db.query(
    `DELETE FROM run_tags WHERE ctid = ANY(ARRAY(
       SELECT ctid FROM run_tags WHERE run_id = $1 LIMIT $2 FOR UPDATE SKIP LOCKED))`,
    [run, BATCH],
  );
  return rowCount ?? 0;
}
