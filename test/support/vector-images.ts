import { chunk } from '../../platform/chunk.ts';
import { Random } from '../../platform/random.ts';
import type { Database } from '../../store/database.ts';
import { addEmbeddings } from '../../store/embeddings.ts';
import { recordIndexed, type IndexKey } from '../../store/changes.ts';
import { asImageId } from '../../store/ids.ts';
import { inTransaction } from '../../store/transaction.ts';

const ROWS = 5000;

/** Rows of no files with random vectors around nothing: as many images as one likes, without decoding any. */
export async function addVectorImages(
  { pool }: Pick<Database, 'pool'>,
  key: IndexKey,
  { count, dimensions }: { readonly count: number; readonly dimensions: number },
): Promise<void> {
  const random = new Random('vector images', count);
  const numbers = Array.from({ length: count }, (_, i) => i);
  for (const some of chunk(numbers, ROWS)) {
    await inTransaction(pool, async (client) => {
      const { rows } = await client.query<{ id: string; sha256: Buffer }>(
        `INSERT INTO images (collection_id, path, sha256, width, height, bytes, format)
         SELECT $1, 'image ' || n, sha256(('image ' || n)::bytea), 1, 1, 1, 'JPEG' FROM unnest($2::int[]) AS n
         RETURNING id, sha256`,
        [key.collectionId, some],
      );
      const sha256s = rows.map(({ sha256 }) => sha256);
      const vectors = randomRows(random, rows.length, dimensions);
      await addEmbeddings(client, { visionSpaceId: key.visionSpaceId, sha256s, vectors });
      const ids = rows.map(({ id }) => asImageId(id));
      await recordIndexed(client, key, ids);
    });
  }
}

/** Rows of length 1. */
function randomRows(random: Random, count: number, dimensions: number): Float32Array {
  const rows = Float32Array.from({ length: count * dimensions }, () => random.uniform() - 0.5);
  for (let row = 0; row < count; row++) {
    const vector = rows.subarray(row * dimensions, (row + 1) * dimensions);
    const length = Math.hypot(...vector);
    vector.forEach((value, i) => (vector[i] = value / length));
  }
  return rows;
}
