import { recordRemoved } from './changes.ts';
import type { ImageFormat } from './generated/prisma/client.ts';
import {
  asCollectionId,
  asImageId,
  asSourceId,
  type CollectionId,
  type ImageId,
  type SourceId,
} from './ids.ts';
import { storableJson } from './storable-json.ts';
import type { Queryable } from './transaction.ts';

export type { ImageFormat };

export interface NewImage {
  /** Null: uploaded. */
  readonly sourceId: SourceId | null;
  /** Unique in its collection. */
  readonly path: string;
  /** 32 bytes. */
  readonly sha256: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly bytes: number;
  readonly format: ImageFormat;
  readonly takenAt: Date | null;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Nanoseconds since 1970; null: not a file. */
  readonly fileMtimeNs: bigint | null;
}

export interface ImageRecord {
  readonly id: ImageId;
  readonly collectionId: CollectionId;
  readonly sourceId: SourceId | null;
  readonly path: string;
  readonly sha256: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly bytes: number;
  readonly format: ImageFormat;
  readonly takenAt: Date | null;
  readonly addedAt: Date;
  readonly metadata: unknown;
}

/**
 * Adds images, or replaces what is known of those paths, and gives their ids in the order of `images`. A path may occur
 * once. Nothing is searchable before `recordIndexed`; do both in one transaction.
 */
export async function putImages(
  client: Queryable,
  collectionId: CollectionId,
  images: readonly NewImage[],
): Promise<readonly ImageId[]> {
  const { rows } = await client.query<{ id: string; path: string }>(PUT_IMAGES, [
    collectionId,
    storableJson(images.map(toJson)),
  ]);
  const ids = new Map(rows.map(({ id, path }) => [path, asImageId(id)]));
  return images.map(({ path }) => {
    const id = ids.get(path);
    if (id === undefined) throw new Error(`The image ${path} was not stored.`);
    return id;
  });
}

/** Rows are locked in the order of their paths, so that two writers can't wait for each other. */
const PUT_IMAGES = `
  INSERT INTO images (collection_id, source_id, path, sha256, width, height, bytes, format, taken_at, metadata, file_mtime_ns)
  SELECT $1, source_id, path, decode(sha256, 'hex'), width, height, bytes, format, taken_at, metadata, file_mtime_ns
  FROM jsonb_to_recordset($2::jsonb) AS new(
    source_id uuid, path text, sha256 text, width int, height int, bytes bigint, format image_format,
    taken_at timestamptz, metadata jsonb, file_mtime_ns bigint)
  ORDER BY path
  ON CONFLICT (collection_id, path) DO UPDATE SET
    source_id = excluded.source_id, sha256 = excluded.sha256, width = excluded.width, height = excluded.height,
    bytes = excluded.bytes, format = excluded.format, taken_at = excluded.taken_at, metadata = excluded.metadata,
    file_mtime_ns = excluded.file_mtime_ns
  RETURNING id, path`;

function toJson(image: NewImage): Record<string, unknown> {
  return {
    source_id: image.sourceId,
    path: image.path,
    sha256: Buffer.from(image.sha256).toString('hex'),
    width: image.width,
    height: image.height,
    bytes: image.bytes,
    format: image.format,
    taken_at: image.takenAt,
    metadata: image.metadata,
    file_mtime_ns: image.fileMtimeNs?.toString() ?? null,
  };
}

/** What tells an unchanged file from a changed one without reading it. */
export interface FileState {
  readonly id: ImageId;
  readonly path: string;
  readonly bytes: number;
  readonly mtimeNs: bigint | null;
  readonly sha256: Uint8Array;
}

/** Pages of a source's files by id; ask again with the last id until a page is empty. */
export async function readFileStates(
  db: Queryable,
  { sourceId, after, limit }: { sourceId: SourceId; after: ImageId | null; limit: number },
): Promise<readonly FileState[]> {
  const { rows } = await db.query<FileStateRow>(
    `SELECT id, path, bytes, file_mtime_ns, sha256 FROM images
     WHERE source_id = $1 AND id > $2 ORDER BY id LIMIT $3`,
    [sourceId, after ?? 0n, limit],
  );
  return rows.map(({ id, path, bytes, file_mtime_ns: mtime, sha256 }) => ({
    ...{ path, sha256, id: asImageId(id), bytes: Number(bytes) },
    mtimeNs: mtime === null ? null : BigInt(mtime),
  }));
}

interface FileStateRow {
  readonly id: string;
  readonly path: string;
  readonly bytes: string;
  readonly file_mtime_ns: string | null;
  readonly sha256: Buffer;
}

export interface MovedImage {
  readonly id: ImageId;
  readonly path: string;
  readonly fileMtimeNs: bigint;
  /** Default: stays. */
  readonly sourceId?: SourceId;
}

/** Files that were moved within their collection, or touched: the image stays the same one, and so does its embedding. */
export async function moveImages(client: Queryable, moved: readonly MovedImage[]): Promise<void> {
  await client.query(
    `UPDATE images SET path = new.path, file_mtime_ns = new.mtime,
       source_id = coalesce(new.source_id, images.source_id)
     FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::uuid[]) AS new(id, path, mtime, source_id)
     WHERE images.id = new.id`,
    [
      moved.map(({ id }) => id),
      moved.map(({ path }) => path),
      moved.map(({ fileMtimeNs }) => fileMtimeNs),
      moved.map(({ sourceId }) => sourceId ?? null),
    ],
  );
}

export const IMAGE_COLUMNS =
  'id, collection_id, source_id, path, sha256, width, height, bytes, format, taken_at, added_at, metadata';

/** In no particular order; those that aren't there are left out. */
export async function findImagesByIds(
  db: Queryable,
  ids: readonly ImageId[],
): Promise<readonly ImageRecord[]> {
  const { rows } = await db.query<ImageRow>(
    `SELECT ${IMAGE_COLUMNS} FROM images WHERE id = ANY($1::bigint[])`,
    [ids],
  );
  return rows.map(toImageRecord);
}

/** Hashes of those images that are there, which stay as they are until the transaction ends. */
export async function lockImages(
  client: Queryable,
  collectionId: CollectionId,
  ids: readonly ImageId[],
): Promise<ReadonlyMap<ImageId, Uint8Array>> {
  const { rows } = await client.query<{ id: string; sha256: Buffer }>(
    `SELECT id, sha256 FROM images WHERE collection_id = $1 AND id = ANY($2::bigint[])
     ORDER BY path FOR SHARE`,
    [collectionId, ids],
  );
  return new Map(rows.map(({ id, sha256 }) => [asImageId(id), sha256]));
}

export interface ImagePage {
  readonly collectionId: CollectionId;
  readonly after: ImageId | null;
  readonly limit: number;
}

/** In the order they were added. */
export async function listImages(
  db: Queryable,
  { collectionId, after, limit }: ImagePage,
): Promise<readonly ImageRecord[]> {
  const { rows } = await db.query<ImageRow>(
    `SELECT ${IMAGE_COLUMNS} FROM images WHERE collection_id = $1 AND id > $2 ORDER BY id LIMIT $3`,
    [collectionId, after ?? 0n, limit],
  );
  return rows.map(toImageRecord);
}

export async function countImages(db: Queryable, collectionId: CollectionId): Promise<number> {
  const { rows } = await db.query<{ count: string }>(
    'SELECT count(*) FROM images WHERE collection_id = $1',
    [collectionId],
  );
  return Number(rows[0]?.count ?? 0);
}

/** Deletes images and tells every index. Gives the ids that were there. Call it inside a transaction. */
export async function deleteImages(
  client: Queryable,
  collectionId: CollectionId,
  ids: readonly ImageId[],
): Promise<readonly ImageId[]> {
  const { rows } = await client.query<{ id: string }>(
    `DELETE FROM images WHERE id IN (
       SELECT id FROM images WHERE collection_id = $1 AND id = ANY($2::bigint[]) ORDER BY path FOR UPDATE)
     RETURNING id`,
    [collectionId, ids],
  );
  const deleted = rows.map(({ id }) => asImageId(id));
  await recordRemoved(client, collectionId, deleted);
  return deleted;
}

export interface ImageRow {
  readonly id: string;
  readonly collection_id: string;
  readonly source_id: string | null;
  readonly path: string;
  readonly sha256: Buffer;
  readonly width: number;
  readonly height: number;
  readonly bytes: string;
  readonly format: ImageFormat;
  readonly taken_at: Date | null;
  readonly added_at: Date;
  readonly metadata: unknown;
}

export function toImageRecord(row: ImageRow): ImageRecord {
  const { path, sha256, width, height, format, metadata } = row;
  return {
    ...{ path, sha256, width, height, format, metadata },
    id: asImageId(row.id),
    collectionId: asCollectionId(row.collection_id),
    sourceId: row.source_id === null ? null : asSourceId(row.source_id),
    bytes: Number(row.bytes),
    takenAt: row.taken_at,
    addedAt: row.added_at,
  };
}
