import { countChanges } from '../../store/changes.ts';
import { findCollectionsByIds } from '../../store/collections.ts';
import type { Database } from '../../store/database.ts';
import { listVisionSpaces } from '../../store/model-registry.ts';
import type { CollectionIndexes } from '../search/collection-indexes.ts';
import type { IndexReading } from './metrics.ts';

/** The open indexes, for the metrics. */
export async function readIndexes(
  { pool, prisma }: Database,
  indexes: CollectionIndexes,
): Promise<readonly IndexReading[]> {
  const opened = indexes.opened();
  const ids = opened.map(({ key }) => key.collectionId);
  const names = new Map(
    (await findCollectionsByIds(prisma, ids)).map(({ id, name }) => [id, name]),
  );
  const spaces = new Map((await listVisionSpaces(prisma)).map(({ id, name }) => [id, name]));
  return Promise.all(
    opened.map(async ({ key, state }) => {
      const { engine, size, recallAt10, bytes, seq } = state;
      const collection = names.get(key.collectionId) ?? key.collectionId;
      const lag = await countChanges(pool, key, seq);
      const visionSpace = spaces.get(key.visionSpaceId) ?? key.visionSpaceId;
      return { collection, visionSpace, engine, indexed: size, lag, recallAt10, bytes };
    }),
  );
}
