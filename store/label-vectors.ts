import { floatsOf, hexOf } from './embeddings.ts';
import type { TextModelId } from './ids.ts';
import type { Queryable } from './transaction.ts';
import { chunk } from '../platform/chunk.ts';

/*
 * What a text model makes of labels, by a hash over everything that decides it. Derived: rows may go at any time, and are made again.
 */

/** Rows of one statement: 3 MB at 384 dimensions. */
const ROWS_A_STATEMENT = 2000;

/** By hash in hex; those that aren't there are left out. */
export async function findLabelVectors(
  db: Queryable,
  textModelId: TextModelId,
  sha256s: readonly Uint8Array[],
): Promise<ReadonlyMap<string, Float32Array>> {
  const found = new Map<string, Float32Array>();
  for (const hashes of chunk(sha256s, ROWS_A_STATEMENT)) {
    const { rows } = await db.query<{ hash: string; vector: Buffer }>(
      `SELECT encode(sha256, 'hex') AS hash, vector FROM label_vectors
       WHERE text_model_id = $1 AND sha256 IN (SELECT decode(unnest($2::text[]), 'hex'))`,
      [textModelId, hashes.map(hexOf)],
    );
    for (const { hash, vector } of rows) found.set(hash, floatsOf(vector));
  }
  return found;
}

export interface LabelVector {
  readonly sha256: Uint8Array;
  readonly vector: Float32Array;
}

/** Keeps vectors; those that are there stay. */
export async function putLabelVectors(
  db: Queryable,
  textModelId: TextModelId,
  vectors: readonly LabelVector[],
): Promise<void> {
  const sorted = [...vectors].sort((a, b) => Buffer.compare(a.sha256, b.sha256)); // two writers wait for each other in one order
  for (const rows of chunk(sorted, ROWS_A_STATEMENT)) {
    await db.query(
      `INSERT INTO label_vectors (text_model_id, sha256, vector)
       SELECT $1, decode(sha256, 'hex'), vector FROM unnest($2::text[], $3::bytea[]) AS new(sha256, vector)
       ON CONFLICT DO NOTHING`,
      [
        textModelId,
        rows.map(({ sha256 }) => hexOf(sha256)),
        rows.map(({ vector }) => bytesOf(vector)),
      ],
    );
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
