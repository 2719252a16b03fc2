import type { VisionSpaceId } from './ids.ts';
import type { Queryable } from './transaction.ts';
import { chunk } from '../platform/chunk.ts';

const FLOAT_BYTES = 4;
/** Rows of one statement. Its parameter is one buffer of rows x dimensions x 4 bytes: 2.5 MB at 1,280 dimensions. */
const ROWS_A_STATEMENT = 500;

export interface NewEmbeddings {
  readonly visionSpaceId: VisionSpaceId;
  /** 32 bytes each. */
  readonly sha256s: readonly Uint8Array[];
  /** Row-major, one row a hash. */
  readonly vectors: Float32Array;
}

/**
 * Stores embeddings; bytes that have one keep it. All vectors of a statement travel as one `bytea` that Postgres cuts:
 * about as fast as COPY, which couldn't skip what is there already (docs/decisions/0012-index-entries.md).
 */
export function addEmbeddings(client: Queryable, embeddings: NewEmbeddings): Promise<void> {
  return insertEmbeddings(client, embeddings, 'DO NOTHING');
}

/** The same, but bytes that have an embedding get the new one. Whoever indexes them has to be told: `recordIndexed`. */
export function replaceEmbeddings(client: Queryable, embeddings: NewEmbeddings): Promise<void> {
  const replace =
    '(vision_space_id, sha256) DO UPDATE SET vector = excluded.vector, created_at = now()';
  return insertEmbeddings(client, embeddings, replace);
}

async function insertEmbeddings(
  client: Queryable,
  { visionSpaceId, sha256s, vectors }: NewEmbeddings,
  onConflict: string,
): Promise<void> {
  const dimensions = vectors.length / Math.max(1, sha256s.length);
  if (!Number.isInteger(dimensions)) throw new RangeError('There is not one vector a hash.');
  const order = sortedOrder(sha256s); // two writers of the same bytes wait for each other in one order
  for (const rows of chunk(order, ROWS_A_STATEMENT)) {
    const hashes = Buffer.concat(rows.map((row) => sha256s[row] ?? new Uint8Array()));
    const parts = rows.map((row) =>
      bytesOf(vectors.subarray(row * dimensions, (row + 1) * dimensions)),
    );
    await client.query(
      `INSERT INTO embeddings (vision_space_id, sha256, vector)
       SELECT $1, substring($2::bytea FROM row * 32 + 1 FOR 32), substring($3::bytea FROM row * $4 + 1 FOR $4)
       FROM generate_series(0, $5::int - 1) AS row
       ON CONFLICT ${onConflict}`,
      [visionSpaceId, hashes, Buffer.concat(parts), dimensions * FLOAT_BYTES, rows.length],
    );
  }
}

function sortedOrder(sha256s: readonly Uint8Array[]): number[] {
  const compare = (a: number, b: number): number =>
    Buffer.compare(sha256s[a] ?? new Uint8Array(), sha256s[b] ?? new Uint8Array());
  return [...sha256s.keys()].sort(compare);
}

/** The floats' own bytes: little-endian on every processor that Node runs on. */
function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** A copy, because a row's buffer lies at any address and floats need a multiple of four. */
export function floatsOf(bytes: Uint8Array): Float32Array {
  return new Float32Array(new Uint8Array(bytes).buffer);
}

export function hexOf(sha256: Uint8Array): string {
  return Buffer.from(sha256).toString('hex');
}

/** Which of these bytes have an embedding, made at `notBefore` or later; their hashes in hex. */
export async function findEmbedded(
  db: Queryable,
  visionSpaceId: VisionSpaceId,
  sha256s: readonly Uint8Array[],
  notBefore: Date | null = null,
): Promise<ReadonlySet<string>> {
  const { rows } = await db.query<{ hash: string }>(
    `SELECT encode(sha256, 'hex') AS hash FROM embeddings
     WHERE vision_space_id = $1 AND sha256 IN (SELECT decode(unnest($2::text[]), 'hex'))
       AND ($3::timestamptz IS NULL OR created_at >= $3)`,
    [visionSpaceId, sha256s.map(hexOf), notBefore],
  );
  return new Set(rows.map(({ hash }) => hash));
}

/** Embeddings by hash in hex; those that aren't there are left out. */
export async function readEmbeddings(
  db: Queryable,
  visionSpaceId: VisionSpaceId,
  sha256s: readonly Uint8Array[],
): Promise<ReadonlyMap<string, Float32Array>> {
  const { rows } = await db.query<{ hash: string; vector: Buffer }>(
    `SELECT encode(sha256, 'hex') AS hash, vector FROM embeddings
     WHERE vision_space_id = $1 AND sha256 IN (SELECT decode(unnest($2::text[]), 'hex'))`,
    [visionSpaceId, sha256s.map(hexOf)],
  );
  return new Map(rows.map(({ hash, vector }) => [hash, floatsOf(vector)]));
}

export interface EmbeddingRow {
  readonly sha256: Uint8Array;
  readonly vector: Float32Array;
}

/** All embeddings of a space by hash, a page at a time. */
export async function* scanEmbeddings(
  db: Queryable,
  visionSpaceId: VisionSpaceId,
  pageSize = 2000,
): AsyncGenerator<readonly EmbeddingRow[]> {
  let after: Uint8Array = Buffer.alloc(0);
  for (;;) {
    const { rows } = await db.query<{ sha256: Buffer; vector: Buffer }>(
      `SELECT sha256, vector FROM embeddings
       WHERE vision_space_id = $1 AND sha256 > $2 ORDER BY sha256 LIMIT $3`,
      [visionSpaceId, after, pageSize],
    );
    const last = rows.at(-1);
    if (last === undefined) return;
    yield rows.map(({ sha256, vector }) => ({ sha256, vector: floatsOf(vector) }));
    after = last.sha256;
  }
}
