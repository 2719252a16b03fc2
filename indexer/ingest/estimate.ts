import type { Database } from '../../store/database.ts';
import { listKeptGenerations } from '../../store/generations.ts';
import type { CollectionId } from '../../store/ids.ts';
import { listVisionSpaces } from '../../store/model-registry.ts';

/** Bytes of a row of `embeddings` beside its vector, and of `index_entries`, with their indexes; measured. */
const EMBEDDING_ROW = 200;
const ENTRY_ROW = 250;

/** Disk for embeddings of so many numbers, and for index entries. */
export function bytesOf(count: {
  readonly embeddings: number;
  readonly dimensions: number;
  readonly entries: number;
}): number {
  const { embeddings, dimensions, entries } = count;
  return embeddings * (dimensions * 4 + EMBEDDING_ROW) + entries * ENTRY_ROW;
}

export interface Estimate {
  readonly estimatedSeconds: number | null;
  readonly estimatedBytes: number;
}

/** What embedding so many images for all kept generations of a collection takes, at most. */
export async function estimate(
  database: Database,
  collectionId: CollectionId,
  images: number,
): Promise<Estimate> {
  const { prisma } = database;
  const kept = await listKeptGenerations(prisma, collectionId);
  const spaces = await listVisionSpaces(prisma);
  const bytes = kept.map(({ visionSpaceId }) => {
    const dimensions = spaces.find(({ id }) => id === visionSpaceId)?.dimensions ?? 0;
    return bytesOf({ embeddings: images, dimensions, entries: images });
  });
  return {
    estimatedSeconds: await estimateSeconds(database, images),
    estimatedBytes: bytes.reduce((sum, one) => sum + one, 0),
  };
}

/** From the last jobs that embedded something; null when there were none. */
export async function estimateSeconds(
  { pool }: Pick<Database, 'pool'>,
  toEmbed: number,
): Promise<number | null> {
  if (toEmbed === 0) return 0;
  const { rows } = await pool.query<{ rate: number | null }>(
    `SELECT sum(embedded) / greatest(1, sum(seconds)) AS rate FROM (
       SELECT (result->>'embedded')::float8 AS embedded,
         extract(epoch FROM finished_at - started_at)::float8 AS seconds
       FROM jobs WHERE kind IN ('INGEST', 'REINDEX') AND state = 'SUCCEEDED' AND (result->>'embedded')::float8 > 0
       ORDER BY finished_at DESC LIMIT 10) AS latest`,
  );
  const rate = rows[0]?.rate ?? null;
  return rate === null ? null : Math.ceil(toEmbed / rate);
}
