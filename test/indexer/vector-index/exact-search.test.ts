import { expect, test } from '@jest/globals';
import { ExactIndex } from '../../../indexer/vector-index/exact-index.ts';
import { importUsearch, usearchScan } from '../../../indexer/vector-index/usearch-index.ts';
import { clusteredVectors, plainNearest, rowOf } from '../../support/vectors.ts';

const photos = clusteredVectors('scanned', { count: 3000, dimensions: 31 });
const queries = clusteredVectors('scanned', { count: 20, dimensions: 31, stream: 'queries' });
const usearch = await importUsearch();

test.each([
  ['a loop', null],
  ['the native scan', usearch && usearchScan(usearch)],
])('%s finds what a plain comparison finds, at every size of filter', (_, scan) => {
  const index = new ExactIndex(photos.dimensions, scan);
  index.add(photos.ids, photos.rows);

  for (const every of [1, 2, 4, 9, 60, 700]) {
    const allow = photos.ids.filter((_id, row) => row % every === 0);
    const allowed = new Set(allow);
    for (let row = 0; row < queries.count; row++) {
      const query = rowOf(queries, row);
      const found = index.search(query, 10, every === 1 ? {} : { allow });
      expect(found.ids).toEqual(plainNearest(photos, query, 10, (id) => allowed.has(id)));
    }
  }
});

test('a filter of far away rows only is answered although a scan of all finds none of them', () => {
  const index = new ExactIndex(photos.dimensions, usearch && usearchScan(usearch));
  index.add(photos.ids, photos.rows);
  const query = rowOf(photos, 0);
  const far = plainNearest(photos, query, photos.count).slice(-1000);

  const found = index.search(query, 10, { allow: far });

  expect(found.ids).toEqual(far.slice(0, 10));
});
