import { expect, test } from '@jest/globals';
import { ChangeListener, followChanges } from '../../store/change-listener.ts';
import {
  countChanges,
  countIndexed,
  readChanges,
  recordIndexed,
  type IndexKey,
} from '../../store/changes.ts';
import { deleteCollection } from '../../store/collections.ts';
import type { ImageId } from '../../store/ids.ts';
import { deleteImages, putImages } from '../../store/images.ts';
import { inTransaction } from '../../store/transaction.ts';
import { useDatabase } from '../support/database.ts';
import {
  DIMENSIONS,
  imageWith,
  indexed,
  indexImages,
  newIndex,
  vectorOf,
} from '../support/rows.ts';

const database = await useDatabase();
const { pool, prisma } = database;

function remove(key: IndexKey, ids: readonly ImageId[]): Promise<readonly ImageId[]> {
  return inTransaction(pool, (client) => deleteImages(client, key.collectionId, ids));
}

test('a follower gets ids and vectors of what was added, in order', async () => {
  const key = await newIndex(database);
  const ids = await indexed(database, key, ['a', 'b', 'c']);

  const changes = await readChanges(pool, key, { after: 0n, limit: 10 });

  expect(new Set(changes?.ids)).toEqual(new Set(ids));
  const row = [...(changes?.ids ?? [])].indexOf(ids[1] ?? 0n);
  const vector = changes?.vectors.subarray(row * DIMENSIONS, (row + 1) * DIMENSIONS);
  expect(vector).toEqual(vectorOf('b'));
  expect(await readChanges(pool, key, { after: changes?.lastSeq ?? 0n, limit: 10 })).toBe(null);
});

test('deleting an image advances the same sequence and leaves its vector out', async () => {
  const key = await newIndex(database);
  const ids = await indexed(database, key, ['a', 'b']);
  const first = ids.slice(0, 1);
  const before = await readChanges(pool, key, { after: 0n, limit: 10 });

  expect(await remove(key, first)).toEqual(first);

  const after = await readChanges(pool, key, { after: before?.lastSeq ?? 0n, limit: 10 });
  expect(after).toMatchObject({ removed: first, ids: new BigUint64Array() });
  expect(after?.lastSeq).toBeGreaterThan(before?.lastSeq ?? 0n);
  expect(await countIndexed(pool, key)).toBe(1);
  const whole = await readChanges(pool, key, { after: 0n, limit: 10 });
  expect([...(whole?.ids ?? [])]).toEqual(ids.slice(1));
});

test('a changed file moves its image to the end with the new vector', async () => {
  const key = await newIndex(database);
  const [id] = await indexed(database, key, ['old']);
  await indexed(database, key, ['new']); // the bytes have an embedding already
  const { rows } = await pool.query<{ path: string }>('SELECT path FROM images WHERE id = $1', [
    id,
  ]);
  const seen = await readChanges(pool, key, { after: 0n, limit: 10 });

  await inTransaction(pool, async (client) => {
    const image = imageWith({ path: rows[0]?.path ?? '', content: 'new' });
    await recordIndexed(client, key, await putImages(client, key.collectionId, [image]));
  });

  const changes = await readChanges(pool, key, { after: seen?.lastSeq ?? 0n, limit: 10 });
  expect(changes).toMatchObject({ ids: BigUint64Array.of(id ?? 0n), vectors: vectorOf('new') });
});

test('an image without embedding cannot become searchable, and its transaction is undone', async () => {
  const key = await newIndex(database);

  const stored = inTransaction(pool, async (client) => {
    const ids = await putImages(client, key.collectionId, [imageWith()]);
    await recordIndexed(client, key, ids);
  });

  await expect(stored).rejects.toThrow(/with an embedding/);
  expect(await countIndexed(pool, key)).toBe(0);
});

test('another collection and another vision space see nothing of it', async () => {
  const key = await newIndex(database);
  const other = await newIndex(database);
  await indexed(database, key, ['a']);

  const { collectionId } = key;
  for (const foreign of [other, { collectionId, visionSpaceId: other.visionSpaceId }]) {
    expect(await readChanges(pool, foreign, { after: 0n, limit: 10 })).toBe(null);
  }
  await deleteCollection(prisma, collectionId);
  expect(await countChanges(pool, key, 0n)).toBe(0);
});

test('a number taken first and committed last is not lost', async () => {
  const key = await newIndex(database);
  const slow = await pool.connect();
  await slow.query('BEGIN');
  const early = await indexImages(slow, key, ['early']);

  const late = indexed(database, key, ['late']); // waits for the collection's lock
  const before = await readChanges(pool, key, { after: 0n, limit: 10 });
  await slow.query('COMMIT');
  slow.release();
  const lateIds = await late;

  expect(before).toBe(null);
  const changes = await readChanges(pool, key, { after: 0n, limit: 10 });
  expect([...(changes?.ids ?? [])]).toEqual([...early, ...lateIds]);
});

test('a follower sees every change once while many write and delete', async () => {
  const key = await newIndex(database);
  const stop = new AbortController();
  const listener = new ChangeListener({ createClient: () => database.createClient(), pollMs: 50 });
  const seqs: bigint[] = [];
  const held = new Set<bigint>();
  const timesAdded = new Map<bigint, number>();
  let changesSeen = 0;
  const expected = { held: 4 * 10 * 2, removed: 4 * 10 };
  const removedSeen: bigint[] = [];

  const following = (async () => {
    const options = { key, after: 0n, batchSize: 7, listener, signal: stop.signal };
    for await (const { ids, removed, lastSeq } of followChanges(pool, options)) {
      seqs.push(lastSeq);
      changesSeen += ids.length + removed.length;
      for (const id of ids) {
        held.add(id);
        timesAdded.set(id, (timesAdded.get(id) ?? 0) + 1);
      }
      for (const id of removed) {
        held.delete(id);
        removedSeen.push(id);
      }
      if (held.size === expected.held && removedSeen.length === expected.removed) stop.abort();
    }
  })();
  const writers = Array.from({ length: 4 }, async (_, writer) => {
    for (let round = 0; round < 10; round++) {
      const name = `${writer}-${round}`;
      const ids = await indexed(database, key, [`${name}-x`, `${name}-y`, `${name}-z`]);
      await remove(key, ids.slice(0, 1));
    }
  });
  await Promise.all(writers);
  await following;
  await listener.close();

  expect(seqs).toEqual([...seqs].sort((a, b) => (a < b ? -1 : 1)));
  expect(new Set(seqs).size).toBe(seqs.length);
  expect(new Set(removedSeen).size).toBe(expected.removed);
  expect([...timesAdded.values()].every((times) => times === 1)).toBe(true);
  expect(changesSeen).toBeGreaterThanOrEqual(expected.held + expected.removed);
  expect(held.size).toBe(await countIndexed(pool, key));
});

test('a listener whose connection is lost goes on', async () => {
  const key = await newIndex(database);
  const stop = new AbortController();
  const clients = [database.createClient(), database.createClient()];
  const [first] = clients;
  const listener = new ChangeListener({
    createClient: () => clients.shift() ?? database.createClient(),
    pollMs: 20,
  });
  const following = followChanges(pool, { key, after: 0n, listener, signal: stop.signal });

  const next = following.next();
  await indexed(database, key, ['a']);
  expect((await next).value).toMatchObject({ removed: [] });
  const after = following.next();
  await pool.query('SELECT pg_terminate_backend($1)', [
    (first as unknown as { processID: number }).processID,
  ]);
  await indexed(database, key, ['b']);

  expect((await after).value).toMatchObject({ removed: [] });
  stop.abort();
  await listener.close();
});
