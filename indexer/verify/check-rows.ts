import type { Queryable } from '../../store/transaction.ts';
import type { IndexKey } from '../../store/changes.ts';
import { MAX_LISTED, type Check } from './verify.ts';

interface RowCheck {
  readonly name: string;
  /** Not of a generation that is being built. */
  readonly ofComplete?: true;
  /** Counts what is looked at. */
  readonly all: string;
  /** Finds rows that must not be, as `line`. Parameters: collection, vision space, limit. */
  readonly wrong: string;
}

const CHECKS: readonly RowCheck[] = [
  {
    name: 'every image is in the index, with the embedding of its bytes',
    ofComplete: true,
    all: 'SELECT count(*) FROM images WHERE collection_id = $1 AND $2::uuid IS NOT NULL',
    wrong: `SELECT 'image ' || i.id || ' ' || i.path || ' has no index entry' AS line FROM images i
      WHERE i.collection_id = $1 AND NOT EXISTS (
        SELECT FROM index_entries e WHERE e.vision_space_id = $2 AND e.image_id = i.id AND e.sha256 = i.sha256)
      LIMIT $3`,
  },
  {
    name: 'every index entry has its image and its vector',
    all: `SELECT count(*) FROM index_entries
      WHERE collection_id = $1 AND vision_space_id = $2 AND sha256 IS NOT NULL`,
    wrong: `SELECT 'index entry of image ' || e.image_id || ' has no ' ||
        CASE WHEN i.id IS NULL THEN 'image' ELSE 'vector' END AS line
      FROM index_entries e LEFT JOIN images i ON i.id = e.image_id AND i.collection_id = e.collection_id
        LEFT JOIN embeddings v ON v.vision_space_id = e.vision_space_id AND v.sha256 = e.sha256
      WHERE e.collection_id = $1 AND e.vision_space_id = $2 AND e.sha256 IS NOT NULL
        AND (i.id IS NULL OR v.sha256 IS NULL)
      LIMIT $3`,
  },
  {
    name: 'every job that is over has an outcome for each item',
    all: `SELECT count(*) FROM jobs WHERE collection_id = $1 AND $2::uuid IS NOT NULL
      AND state IN ('SUCCEEDED', 'FAILED', 'CANCELLED')`,
    wrong: `SELECT 'job ' || j.id || ' is over; its item ' || i.key || ' is ' || i.state AS line
      FROM jobs j JOIN job_items i ON i.job_id = j.id
      WHERE j.collection_id = $1 AND $2::uuid IS NOT NULL
        AND j.state IN ('SUCCEEDED', 'FAILED', 'CANCELLED') AND i.state IN ('PENDING', 'RUNNING')
      LIMIT $3`,
  },
];

/** What the database's constraints can't say. */
export async function checkRows(
  db: Queryable,
  { collectionId, visionSpaceId }: IndexKey,
  { isComplete }: { readonly isComplete: boolean },
): Promise<readonly Check[]> {
  const checks: Check[] = [];
  for (const { name, all, wrong, ofComplete } of CHECKS) {
    if (ofComplete && !isComplete) continue;
    const counted = await db.query<{ count: string }>(all, [collectionId, visionSpaceId]);
    const { rows } = await db.query<{ line: string }>(wrong, [
      ...[collectionId, visionSpaceId, MAX_LISTED],
    ]);
    checks.push({
      ...{ name, looked: Number(counted.rows[0]?.count ?? 0), notes: [] },
      violations: rows.map(({ line }) => line),
    });
  }
  return checks;
}
