import { asImageId, type ImageId } from './ids.ts';
import type { Queryable } from './transaction.ts';

/** Names of labels that people said these images haven't; `vocabulary`: its name, null for all. */
export async function findRejectedNames(
  db: Queryable,
  imageIds: readonly ImageId[],
  vocabulary: string | null,
): Promise<ReadonlyMap<ImageId, readonly string[]>> {
  const { rows } = await db.query<{ image_id: string; names: string[] }>(
    `SELECT d.image_id, array_agg(DISTINCT l.name) AS names
     FROM tag_decisions d JOIN labels l ON l.id = d.label_id JOIN vocabularies v ON v.id = l.vocabulary_id
     WHERE d.verdict = 'REJECTED' AND d.image_id = ANY($1::bigint[]) AND ($2::text IS NULL OR v.name = $2)
     GROUP BY d.image_id`,
    [imageIds, vocabulary],
  );
  return new Map(rows.map((row) => [asImageId(row.image_id), row.names]));
}
