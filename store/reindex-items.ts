import type { IndexKey } from './changes.ts';
import { addToPlanned } from './job-items.ts';
import type { ImageId, JobId } from './ids.ts';
import type { Queryable } from './transaction.ts';

/** Which images of a collection a reindex takes. */
export type ImageScope =
  | { readonly kind: 'all' }
  /** Those without an index entry in the vision space. */
  | { readonly kind: 'missing' }
  | { readonly kind: 'chosen'; readonly ids: readonly ImageId[] };

/** Of `images i`; parameters 1 to 4 are collection, vision space, whether only missing ones, chosen ids or null. */
const IN_SCOPE = `i.collection_id = $1
  AND ($3::boolean IS FALSE OR NOT EXISTS (
    SELECT FROM index_entries n WHERE n.vision_space_id = $2 AND n.image_id = i.id AND n.sha256 = i.sha256))
  AND ($4::bigint[] IS NULL OR i.id = ANY($4::bigint[]))`;

function parametersOf({ collectionId, visionSpaceId }: IndexKey, scope: ImageScope): unknown[] {
  const ids = scope.kind === 'chosen' ? scope.ids : null;
  return [collectionId, visionSpaceId, scope.kind === 'missing', ids];
}

export interface ReindexCounts {
  readonly images: number;
  /** Distinct bytes that are to be embedded. */
  readonly toEmbed: number;
  /** Images that need no embedding. */
  readonly reused: number;
  /** Length of the files to be read. */
  readonly bytesToRead: number;
}

/** `again`: also what has an embedding. */
export async function countReindex(
  db: Queryable,
  key: IndexKey,
  scope: ImageScope,
  again: boolean,
): Promise<ReindexCounts> {
  const { rows } = await db.query<Record<keyof ReindexCounts, string>>(
    `SELECT count(*) AS images, count(DISTINCT sha256) FILTER (WHERE NOT known) AS "toEmbed",
       count(*) FILTER (WHERE known) AS reused,
       coalesce(sum(bytes) FILTER (WHERE NOT known AND is_first), 0) AS "bytesToRead"
     FROM (
       SELECT i.sha256, i.bytes, NOT $5::boolean AND e.sha256 IS NOT NULL AS known,
         row_number() OVER (PARTITION BY i.sha256 ORDER BY i.id) = 1 AS is_first
       FROM images i LEFT JOIN embeddings e ON e.vision_space_id = $2 AND e.sha256 = i.sha256
       WHERE ${IN_SCOPE}) AS counted`,
    [...parametersOf(key, scope), again],
  );
  const { images = 0, toEmbed = 0, reused = 0, bytesToRead = 0 } = rows[0] ?? {};
  return {
    images: Number(images),
    toEmbed: Number(toEmbed),
    reused: Number(reused),
    bytesToRead: Number(bytesToRead),
  };
}

/** Images of one statement. */
const PAGE = 10_000;

/** Gives each image in the scope its item, and the checks theirs. Doing it again adds what is missing. */
export async function addReindexItems(
  db: Queryable,
  jobId: JobId,
  { key, scope, checksKey }: { key: IndexKey; scope: ImageScope; checksKey: string },
): Promise<void> {
  const parameters = parametersOf(key, scope);
  let after = '0';
  for (;;) {
    const { rows } = await db.query<{ last: string | null }>(
      `SELECT max(id) AS last FROM (
         SELECT i.id FROM images i WHERE ${IN_SCOPE} AND i.id > $5 ORDER BY i.id LIMIT ${PAGE}) AS page`,
      [...parameters, after],
    );
    const last = rows[0]?.last ?? null;
    if (last === null) break;
    await addToPlanned(db, jobId, {
      insert: INSERT_IMAGES,
      values: [key.collectionId, key.visionSpaceId, ...parameters.slice(2), after, last],
    });
    after = last;
  }
  const insert = `INSERT INTO job_items (job_id, key, payload)
    SELECT job.id, $2, '{"task": "check"}' FROM job ON CONFLICT (job_id, key) DO NOTHING`;
  await addToPlanned(db, jobId, { insert, values: [checksKey] });
}

/** Parameters from 2 on: those of the scope, then ids after and up to. */
const INSERT_IMAGES = `
  INSERT INTO job_items (job_id, key, payload)
  SELECT job.id, i.id::text, jsonb_build_object('task', 'embed', 'imageId', i.id::text, 'path', i.path)
  FROM job, images i
  WHERE ${IN_SCOPE.replaceAll(/\$(\d)/g, (_, digit: string) => `$${Number(digit) + 1}`)} AND i.id > $6 AND i.id <= $7
  ORDER BY i.id
  ON CONFLICT (job_id, key) DO NOTHING`;
