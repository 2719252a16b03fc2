import type { IndexKey } from './changes.ts';
import { floatsOf } from './embeddings.ts';
import { asImageId, type ImageId } from './ids.ts';
import { filterSql, isEmptyFilter, type ImageFilter } from './image-query.ts';
import type { Queryable } from './transaction.ts';

/** Images with an embedding in a vision space that a filter lets through. */
export interface IndexedImages extends IndexKey {
  readonly filter: ImageFilter;
}

/** Some of them, by id; both ends belong to it. */
export interface ImageRange {
  /** From 0. */
  readonly number: number;
  readonly from: ImageId;
  readonly to: ImageId;
  /** How many there were when the range was made. */
  readonly count: number;
}

/** Cuts the images there are now into ranges of `size`, the last one shorter. */
export async function planRanges(
  db: Queryable,
  images: IndexedImages,
  size: number,
): Promise<readonly ImageRange[]> {
  const { where, parameters } = conditionsOf(images, [size]);
  const { rows } = await db.query<{ number: string; from: string; to: string; count: string }>(
    `SELECT number, min(image_id) AS from, max(image_id) AS to, count(*) FROM (
       SELECT image_id, (row_number() OVER (ORDER BY image_id) - 1) / $3 AS number
       FROM index_entries n WHERE ${where}) AS numbered
     GROUP BY number ORDER BY number`,
    [...parameters],
  );
  return rows.map(({ number, from, to, count }) => ({
    ...{ number: Number(number), count: Number(count) },
    ...{ from: asImageId(from), to: asImageId(to) },
  }));
}

export interface RangeVectors {
  /** Rising. */
  readonly ids: readonly ImageId[];
  /** Row-major, one row an id. */
  readonly vectors: Float32Array;
}

/** The images of a range and their embeddings, as they are now. */
export async function readRange(
  db: Queryable,
  images: IndexedImages,
  { from, to }: Pick<ImageRange, 'from' | 'to'>,
): Promise<RangeVectors> {
  const { where, parameters } = conditionsOf(images, [from, to]);
  const { rows } = await db.query<{ id: string; vector: Buffer }>(
    `SELECT n.image_id AS id, e.vector FROM index_entries n JOIN embeddings e USING (vision_space_id, sha256)
     WHERE ${where} AND n.image_id BETWEEN $3 AND $4 ORDER BY n.image_id`,
    [...parameters],
  );
  return toVectors(rows);
}

function toVectors(rows: readonly { id: string; vector: Buffer }[]): RangeVectors {
  const vectors = floatsOf(Buffer.concat(rows.map(({ vector }) => vector)));
  return { ids: rows.map(({ id }) => asImageId(id)), vectors };
}

/** A fixed sample of a collection's images, whatever is added or deleted besides: those whose ids hash lowest. */
export async function readSample(
  db: Queryable,
  { collectionId, visionSpaceId }: IndexKey,
  limit: number,
): Promise<RangeVectors> {
  const { rows } = await db.query<{ id: string; vector: Buffer }>(
    `SELECT n.image_id AS id, e.vector FROM (
       SELECT image_id, vision_space_id, sha256 FROM index_entries
       WHERE collection_id = $1 AND vision_space_id = $2 AND sha256 IS NOT NULL
       ORDER BY hashint8extended(image_id, 0), image_id LIMIT $3) AS n
     JOIN embeddings e USING (vision_space_id, sha256) ORDER BY n.image_id`,
    [collectionId, visionSpaceId, limit],
  );
  return toVectors(rows);
}

/** Over `index_entries n`; the given parameters are from $3 on. */
function conditionsOf(
  { collectionId, visionSpaceId, filter }: IndexedImages,
  more: readonly unknown[],
): { readonly where: string; readonly parameters: readonly unknown[] } {
  const sql = filterSql(filter, [collectionId, visionSpaceId, ...more]);
  const isIndexed = 'n.collection_id = $1 AND n.vision_space_id = $2 AND n.sha256 IS NOT NULL';
  if (isEmptyFilter(filter)) return { where: isIndexed, parameters: sql.parameters };
  const isFound = `n.image_id IN (SELECT id FROM images WHERE collection_id = $1 AND ${sql.where})`;
  return { where: `${isIndexed} AND ${isFound}`, parameters: sql.parameters };
}
