import { access, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { Client } from 'pg';
import {
  CollectionIndexes,
  type CollectionIndexesOptions,
} from '../../../api/search/collection-indexes.ts';
import { snapshotFile } from '../../../indexer/vector-index/snapshot-files.ts';
import { createLogger } from '../../../platform/logger.ts';
import { ChangeListener } from '../../../store/change-listener.ts';
import type { IndexKey } from '../../../store/changes.ts';
import { deleteCollection } from '../../../store/collections.ts';
import type { Database } from '../../../store/database.ts';
import { createFirstGeneration } from '../../../store/generations.ts';
import { asCollectionId, asVisionSpaceId } from '../../../store/ids.ts';
import { deleteImages } from '../../../store/images.ts';
import { inTransaction } from '../../../store/transaction.ts';
import { useDatabase, whileAway } from '../../support/database.ts';
import { indexed, newIndex, NOON, vectorOf } from '../../support/rows.ts';
import { until } from '../../support/until.ts';

const NOBODY = '00000000-0000-4000-8000-000000000000';

let database: Database;
let listener: ChangeListener;
let folder: string;
const opened: CollectionIndexes[] = [];

beforeAll(async () => {
  database = await useDatabase();
  listener = new ChangeListener({ createClient: () => database.createClient() });
  folder = await mkdtemp(join(tmpdir(), 'sharelock-indexes-'));
});

afterAll(async () => {
  for (const indexes of opened) await indexes.close();
  await listener.close();
  await rm(folder, { recursive: true, force: true });
});

function createIndexes(overrides: Partial<CollectionIndexesOptions> = {}): CollectionIndexes {
  const logger = createLogger({ level: 'silent' });
  const indexes = new CollectionIndexes({
    ...{ database, listener, folder, logger, engine: 'auto' },
    ...overrides,
  });
  opened.push(indexes);
  return indexes;
}

/** A new collection with a live generation, as every collection has that is searched. */
async function liveIndex(): Promise<IndexKey> {
  const key = await newIndex(database);
  await createFirstGeneration(database.pool, { ...key, textModelId: null }, NOON);
  return key;
}

async function nearest(indexes: CollectionIndexes, key: IndexKey, content: string) {
  const index = await indexes.get(key);
  await index.caughtUp();
  const { ids } = await index.search(vectorOf(content), { k: 1 });
  return ids[0];
}

const snapshotsOf = async ({ collectionId }: IndexKey): Promise<string[]> =>
  (await readdir(folder)).filter((name) => name.startsWith(collectionId));

test('an index holds what is there, and follows what comes and goes', async () => {
  const [key, indexes] = [await liveIndex(), createIndexes()];
  const [cat] = await indexed(database, key, ['cat', 'dog']);
  expect(await nearest(indexes, key, 'cat')).toBe(cat);

  const [bird] = await indexed(database, key, ['bird']);
  expect(await nearest(indexes, key, 'bird')).toBe(bird);

  await inTransaction(database.pool, (client) =>
    deleteImages(
      client,
      key.collectionId,
      [cat].filter((id) => id !== undefined),
    ),
  );
  expect(await nearest(indexes, key, 'cat')).not.toBe(cat);
});

test('a database that is away when the server starts is waited for', async () => {
  const key = await liveIndex();
  const [cat] = await indexed(database, key, ['cat']);
  const warnings: string[] = [];
  const logger = pino({ level: 'warn' }, { write: (line: string) => void warnings.push(line) });
  const indexes = createIndexes({ logger });

  const opening = await whileAway(database, async () => {
    const promise = indexes.openLive();
    await until('it has noticed', () => warnings.length > 0);
    return { promise };
  });
  await opening.promise;

  expect(indexes.opened().length).toBeGreaterThan(0);
  expect(await nearest(indexes, key, 'cat')).toBe(cat);
});

test('it goes on from its snapshot after a restart', async () => {
  const key = await liveIndex();
  await indexed(database, key, ['cat', 'dog']);
  const before = createIndexes();
  await nearest(before, key, 'cat');
  await before.close();
  expect(await snapshotsOf(key)).toHaveLength(1);
  const [bird] = await indexed(database, key, ['bird']);

  const after = createIndexes();

  expect(await nearest(after, key, 'bird')).toBe(bird);
  expect((await after.get(key)).state).toMatchObject({ size: 3, isCaughtUp: true });
});

test('a damaged snapshot is put aside, and the index is built again', async () => {
  const key = await liveIndex();
  const [cat] = await indexed(database, key, ['cat', 'dog']);
  const before = createIndexes();
  await nearest(before, key, 'cat');
  await before.close();
  const [snapshot = ''] = await snapshotsOf(key);
  await writeFile(join(folder, snapshot), 'not a snapshot');

  const after = createIndexes();

  expect(await nearest(after, key, 'cat')).toBe(cat);
  await access(join(folder, `${snapshot}.quarantined`));
});

test('a snapshot of a future that the database lost is not believed', async () => {
  const key = await liveIndex();
  const [cat] = await indexed(database, key, ['cat', 'dog']);
  const before = createIndexes();
  await nearest(before, key, 'cat');
  await before.close();
  await setBack(key, 1n);

  const after = createIndexes();

  expect((await (await after.get(key)).search(vectorOf('cat'), { k: 9 })).ids).toHaveLength(1);
  expect(await nearest(after, key, 'cat')).toBe(cat);
});

test('an index that holds other images than the store is built again', async () => {
  const [key, indexes] = [await liveIndex(), createIndexes()];
  await indexed(database, key, ['cat', 'dog']);
  await nearest(indexes, key, 'cat');
  // What a restored backup does whose sequence has gone on since.
  await database.pool.query(
    'DELETE FROM index_entries WHERE collection_id = $1 AND seq = (SELECT max(seq) FROM index_entries WHERE collection_id = $1)',
    [key.collectionId],
  );

  await indexes.maintain();

  const index = await indexes.get(key);
  await index.caughtUp();
  expect(index.state.size).toBe(1);
});

test('an index that has not heard of a change yet is kept', async () => {
  const elsewhere = new URL(database.url);
  elsewhere.pathname = '/postgres'; // nothing is told there
  const createClient = () => new Client({ connectionString: elsewhere.href });
  const deaf = new ChangeListener({ createClient, pollMs: 600_000 });
  const [key, indexes] = [await liveIndex(), createIndexes({ listener: deaf })];
  await deaf.wait(key.collectionId, 0, AbortSignal.abort()); // it listens
  const [cat] = await indexed(database, key, ['cat']);
  const index = await indexes.get(key);
  await index.ready;
  await indexed(database, key, ['dog']);

  await indexes.maintain();

  expect(await indexes.get(key)).toBe(index);
  expect((await index.search(vectorOf('cat'), { k: 1 })).ids[0]).toBe(cat);
  await indexes.close();
  await deaf.close();
});

/** As if a backup had been restored from before the last `count` changes. */
async function setBack({ collectionId }: IndexKey, count: bigint): Promise<void> {
  await database.pool.query(
    `DELETE FROM index_entries WHERE collection_id = $1 AND seq > (SELECT max(seq) FROM index_entries) - $2`,
    [collectionId, count],
  );
  await database.pool.query(`SELECT setval('index_seq', (SELECT max(seq) FROM index_entries))`);
}

test('auto takes a graph when a collection has grown, and answers all the while', async () => {
  const [key, indexes] = [await liveIndex(), createIndexes({ exactLimit: 3 })];
  const [cat] = await indexed(database, key, ['cat', 'dog']);
  await nearest(indexes, key, 'cat');
  expect((await indexes.get(key)).state.engine).toBe('exact');
  await indexed(database, key, ['bird', 'fish', 'fox']);
  expect(await nearest(indexes, key, 'cat')).toBe(cat);

  await indexes.maintain();

  expect((await indexes.get(key)).state).toMatchObject({ engine: 'usearch', size: 5 });
  expect(await nearest(indexes, key, 'cat')).toBe(cat);
});

test("a deleted collection's index is closed and its snapshot removed", async () => {
  const [key, indexes] = [await liveIndex(), createIndexes()];
  await indexed(database, key, ['cat']);
  await nearest(indexes, key, 'cat');
  await indexes.maintain();
  expect(await snapshotsOf(key)).toHaveLength(1);
  await deleteCollection(database.prisma, key.collectionId);

  await indexes.maintain();

  expect(indexes.opened()).toHaveLength(0);
  expect(await snapshotsOf(key)).toHaveLength(0);
});

test('an index that was lost is opened again at the next use', async () => {
  const [key, indexes] = [await liveIndex(), createIndexes()];
  const [cat] = await indexed(database, key, ['cat']);
  await nearest(indexes, key, 'cat');

  await indexes.discard(await indexes.get(key));

  expect(await nearest(indexes, key, 'cat')).toBe(cat);
});

test('a snapshot that nobody needs any more goes, but not one that is new', async () => {
  const indexes = createIndexes();
  const stray = { collectionId: asCollectionId(NOBODY), visionSpaceId: asVisionSpaceId(NOBODY) };
  const file = snapshotFile(folder, stray, 'exact');
  await writeFile(file, 'old');

  await indexes.maintain();
  await access(file);
  await utimes(file, new Date(0), new Date(0));
  await indexes.maintain();

  await expect(access(file)).rejects.toThrow('ENOENT');
});
