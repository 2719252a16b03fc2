import type { FileState, ImageFormat } from './images.ts';
import { asImageId, asSourceId, type CollectionId, type ImageId, type SourceId } from './ids.ts';
import { hexOf } from './embeddings.ts';
import type { Queryable } from './transaction.ts';

/** What an ingest asks of images before it reads a file. */

/** What is known of these paths, by path; those without an image are left out. */
export async function findFileStates(
  db: Queryable,
  collectionId: CollectionId,
  paths: readonly string[],
): Promise<ReadonlyMap<string, FileState>> {
  const { rows } = await db.query<FileRow>(
    `SELECT ${FILE_COLUMNS} FROM images WHERE collection_id = $1 AND path = ANY($2::text[])`,
    [collectionId, paths],
  );
  return new Map(rows.map((row) => [row.path, toFileState(row)]));
}

export interface FileOfImage extends FileState {
  readonly sourceId: SourceId | null;
}

/** The collection's images of these bytes. */
export async function findImagesBySha256(
  db: Queryable,
  collectionId: CollectionId,
  sha256s: readonly Uint8Array[],
): Promise<readonly FileOfImage[]> {
  const { rows } = await db.query<FileRow & { source_id: string | null }>(
    `SELECT ${FILE_COLUMNS}, source_id FROM images
     WHERE collection_id = $1 AND sha256 = ANY($2::bytea[]) ORDER BY id`,
    [collectionId, sha256s],
  );
  return rows.map((row) => ({
    ...toFileState(row),
    sourceId: row.source_id === null ? null : asSourceId(row.source_id),
  }));
}

/** What the bytes alone say, whatever collection an image of them is in. */
export interface BytesDescription {
  readonly bytes: number;
  readonly width: number;
  readonly height: number;
  readonly format: ImageFormat;
  readonly takenAt: Date | null;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** By hash in hex; bytes that no collection has are left out. */
export async function describeBytes(
  db: Queryable,
  sha256s: readonly Uint8Array[],
): Promise<ReadonlyMap<string, BytesDescription>> {
  const { rows } = await db.query<DescriptionRow>(
    `SELECT DISTINCT ON (sha256) sha256, bytes, width, height, format, taken_at, metadata
     FROM images WHERE sha256 = ANY($1::bytea[]) ORDER BY sha256, id`,
    [sha256s],
  );
  return new Map(
    rows.map(({ sha256, bytes, taken_at: takenAt, ...rest }) => [
      hexOf(sha256),
      { ...rest, bytes: Number(bytes), takenAt },
    ]),
  );
}

interface DescriptionRow extends Omit<BytesDescription, 'bytes' | 'takenAt'> {
  readonly sha256: Buffer;
  readonly bytes: string;
  readonly taken_at: Date | null;
}

/** Locks images until the transaction ends; gives those that are still at these paths. */
export async function lockImagesAt(
  client: Queryable,
  images: readonly { readonly id: ImageId; readonly path: string }[],
): Promise<ReadonlySet<ImageId>> {
  if (images.length === 0) return new Set();
  const { rows } = await client.query<{ id: string; path: string }>(
    'SELECT id, path FROM images WHERE id = ANY($1::bigint[]) ORDER BY path FOR UPDATE',
    [images.map(({ id }) => id)],
  );
  const paths = new Map(rows.map(({ id, path }) => [asImageId(id), path]));
  return new Set(images.flatMap(({ id, path }) => (paths.get(id) === path ? [id] : [])));
}

export interface MissingFilter {
  readonly sourceId: SourceId;
  /** The ledger that names every file there is. */
  readonly jobId: string;
  /** Images below these folders (with a slash at the end) are left out: nobody could look. */
  readonly except: readonly string[];
}

/** A source's images that a job's ledger doesn't name, a page at a time by id. */
export async function listMissing(
  db: Queryable,
  { sourceId, jobId, except }: MissingFilter,
  { after, limit }: { after: ImageId | null; limit: number },
): Promise<readonly FileState[]> {
  const { rows } = await db.query<FileRow>(
    `SELECT ${FILE_COLUMNS} FROM images i WHERE source_id = $1 AND id > $2
       AND NOT EXISTS (SELECT FROM job_items WHERE job_id = $3 AND key = i.path)
       AND NOT EXISTS (SELECT FROM unnest($4::text[]) AS folder WHERE starts_with(i.path, folder))
     ORDER BY id LIMIT $5`,
    [sourceId, after ?? 0n, jobId, except, limit],
  );
  return rows.map(toFileState);
}

/** How many images of a source lie outside these folders. */
export async function countSourceImages(
  db: Queryable,
  sourceId: SourceId,
  except: readonly string[],
): Promise<number> {
  const { rows } = await db.query<{ count: string }>(
    `SELECT count(*) FROM images i WHERE source_id = $1
       AND NOT EXISTS (SELECT FROM unnest($2::text[]) AS folder WHERE starts_with(i.path, folder))`,
    [sourceId, except],
  );
  return Number(rows[0]?.count ?? 0);
}

const FILE_COLUMNS = 'id, path, bytes, file_mtime_ns, sha256';

interface FileRow {
  readonly id: string;
  readonly path: string;
  readonly bytes: string;
  readonly file_mtime_ns: string | null;
  readonly sha256: Buffer;
}

function toFileState({ id, path, bytes, file_mtime_ns: mtime, sha256 }: FileRow): FileState {
  return {
    ...{ id: asImageId(id), path, sha256, bytes: Number(bytes) },
    mtimeNs: mtime === null ? null : BigInt(mtime),
  };
}
