import { appendFile, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { FeatureCache } from '../../../models/train/feature-cache.ts';
import { temporaryFolder } from '../../support/bundles.ts';

const rows = Float32Array.of(1, 2, 3, 4, 5, 6);

test('rows come back by key, in the order asked for, from another process too', async () => {
  const folder = await temporaryFolder();
  const first = await FeatureCache.open(folder, 2);
  await first.add(['a', 'b', 'c'], rows);
  await first.close();

  const second = await FeatureCache.open(folder, 2);

  expect([...(await second.read(['c', 'a']))]).toEqual([5, 6, 1, 2]);
  expect(second.has('d')).toBe(false);
  await second.close();
});

test.each([
  ['a row without its key', 'rows.f32', 4],
  ['half a row', 'rows.f32', 3],
  ['half a key', 'keys.bin', 7],
])('what a kill left half-written is cut off: %s', async (_name, file, bytes) => {
  const folder = await temporaryFolder();
  const cache = await FeatureCache.open(folder, 2);
  await cache.add(['a', 'b', 'c'], rows);
  await cache.close();
  await appendFile(join(folder, file), Buffer.alloc(bytes));

  const reopened = await FeatureCache.open(folder, 2);
  await reopened.add(['d'], Float32Array.of(7, 8));

  expect([...(await reopened.read(['d', 'b']))]).toEqual([7, 8, 3, 4]);
  await reopened.close();
});

test('a key whose row was lost is asked for again', async () => {
  const folder = await temporaryFolder();
  const cache = await FeatureCache.open(folder, 2);
  await cache.add(['a', 'b', 'c'], rows);
  await cache.close();
  await truncate(join(folder, 'rows.f32'), 2 * 2 * 4);

  const reopened = await FeatureCache.open(folder, 2);

  expect(['a', 'b', 'c'].map((key) => reopened.has(key))).toEqual([true, true, false]);
  await reopened.close();
});
