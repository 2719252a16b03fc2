import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { AUTO_EXACT_LIMIT, chooseEngine } from '../../../indexer/vector-index/engines.ts';
import { checkHnswlibFile } from '../../../indexer/vector-index/hnswlib-file.ts';
import type { IndexRequest } from '../../../indexer/vector-index/index-protocol.ts';
import { WorkerPool } from '../../../platform/worker-pool.ts';
import { temporaryFolder } from '../../support/bundles.ts';
import { withCode } from '../../support/errors.ts';
import { indexWith, openIndex } from '../../support/vector-indexes.ts';
import { clusteredVectors } from '../../support/vectors.ts';

const few = clusteredVectors('few', { count: 20, dimensions: 8 });

test('auto compares with all up to 50,000 and takes usearch above; a name is taken at its word', () => {
  expect(chooseEngine('auto', AUTO_EXACT_LIMIT)).toBe('exact');
  expect(chooseEngine('auto', AUTO_EXACT_LIMIT + 1)).toBe('usearch');
  expect(chooseEngine('hnswlib', 3)).toBe('hnswlib');
});

test('a file that hnswlib could not finish is noticed', async () => {
  const path = join(await temporaryFolder(), 'short');
  await writeFile(path, new Uint8Array(50));

  expect(() => {
    checkHnswlibFile(path);
  }).toThrow('is the disk full?');
});

test('a snapshot that can not be written leaves the last one and the index as they are', async () => {
  const path = join(await temporaryFolder(), 'few.index');
  const index = await indexWith('usearch', few);
  await index.save(path, 1n);

  await mkdir(`${path}.folder`);
  await expect(index.save(`${path}.folder`, 2n)).rejects.toThrow('EISDIR');

  expect((await index.search(few.rows.slice(0, 8), 1)).ids[0]).toBe(few.ids[0]);
  const { restored } = await openIndex('usearch', 8, { snapshot: path });
  expect(restored).toEqual({ outcome: 'RESTORED', lastSeq: 1n });
});

test('two processes may open one snapshot at the same time', async () => {
  const path = join(await temporaryFolder(), 'few.index');
  await (await indexWith('usearch', few)).save(path, 9n);

  const opened = await Promise.all(
    [1, 2, 3].map(() => openIndex('usearch', 8, { snapshot: path })),
  );

  for (const { restored } of opened) expect(restored.outcome).toBe('RESTORED');
});

test('writes are done in the order they were asked for', async () => {
  const { index } = await openIndex('usearch', 8);

  await Promise.all([
    index.add(few.ids, few.rows),
    index.remove(few.ids.slice(0, 19)),
    index.add(few.ids.slice(0, 1), few.rows.slice(0, 8)),
  ]);

  const { ids } = await index.search(few.rows.slice(0, 8), 5);
  expect([...ids]).toEqual(expect.arrayContaining([few.ids[0], few.ids[19]]));
  expect(index.size).toBe(2);
});

test('a thread that replaces a dead one does not answer as if nothing were there', async () => {
  const script = new URL('../../../indexer/vector-index/index-worker.ts', import.meta.url);
  const pool = await WorkerPool.start<IndexRequest, unknown>({ script, size: 1, data: null });

  const query = few.rows.slice(0, 8);
  const search = pool.run({ kind: 'search', query, k: 1, options: {} });

  await expect(search).rejects.toMatchObject(withCode('INDEX_UNAVAILABLE'));
  await pool.close();
});

test('numbers no index can have are refused before one is opened', async () => {
  const expected = withCode('INVALID_CONFIG');

  await expect(openIndex('exact', 0)).rejects.toMatchObject(expected);
  await expect(openIndex('usearch', 8, { graph: { m: 1.5 } })).rejects.toMatchObject(expected);
});
