import { readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { EngineName } from '../../../indexer/vector-index/engines.ts';
import type { ThreadIndex } from '../../../indexer/vector-index/thread-index.ts';
import { MAX_K } from '../../../indexer/vector-index/vector-index.ts';
import { temporaryFolder } from '../../support/bundles.ts';
import { withCode } from '../../support/errors.ts';
import { indexWith, openIndex } from '../../support/vector-indexes.ts';
import {
  clusteredVectors,
  plainNearest,
  recall,
  rowOf,
  type Vectors,
} from '../../support/vectors.ts';

const DIMENSIONS = 32;
const COUNT = 4000;
const QUERIES = 60;
const K = 10;
const FLOOR = 0.99;

/** What every engine promises. `mayUseGraph`: whether an answer may come through a graph. */
export function vectorIndexContract(engine: EngineName, mayUseGraph: boolean): void {
  const photos = clusteredVectors('photos', { count: COUNT, dimensions: DIMENSIONS });
  const queries = clusteredVectors('photos', {
    count: QUERIES,
    dimensions: DIMENSIONS,
    stream: 'queries',
  });
  const few = clusteredVectors('few', { count: 20, dimensions: DIMENSIONS });

  describe('finding', () => {
    test('a search finds what a comparison with every vector finds', async () => {
      const index = await indexWith(engine, photos);

      const { mean, paths } = await meanRecall(index, photos, queries);

      expect(index.size).toBe(COUNT);
      expect(mean).toBeGreaterThanOrEqual(mayUseGraph ? FLOOR : 1);
      expect(paths).toEqual(new Set([mayUseGraph ? 'HNSW' : 'EXACT']));
    });

    test.each([0.9, 0.5, 0.2, 0.05, 0.01, 0.002])(
      'a random filter that lets %f through finds the nearest of those',
      async (part) => {
        const index = await indexWith(engine, photos);
        const allow = photos.ids.filter((id) => scatter(id) < part);

        const { mean } = await meanRecall(index, photos, queries, allow);

        expect(mean).toBeGreaterThanOrEqual(FLOOR);
      },
    );

    test.each([2, 16, 30])(
      'a filter of %i clusters, far from most queries, finds the nearest of those',
      async (clusters) => {
        const index = await indexWith(engine, photos);
        const allow = photos.ids.filter((_, row) => (photos.clusters[row] ?? 0) < clusters);

        const { mean } = await meanRecall(index, photos, queries, allow);

        expect(mean).toBeGreaterThanOrEqual(FLOOR);
      },
    );

    test('an exact search misses nothing and says so', async () => {
      const index = await indexWith(engine, photos);
      const query = rowOf(queries, 0);

      const found = await index.search(query, K, { exact: true });

      expect(found.path).toBe('EXACT');
      expect(found.ids).toEqual(plainNearest(photos, query, K));
    });

    test('scores are cosines, best first, and a stored vector finds itself', async () => {
      const index = await indexWith(engine, photos);

      const { ids, scores } = await index.search(rowOf(photos, 7), K);

      expect(ids[0]).toBe(photos.ids[7]);
      expect(scores[0]).toBeCloseTo(1, 5);
      expect([...scores]).toEqual([...scores].sort((a, b) => b - a));
    });

    test('an empty index and an empty filter find nothing', async () => {
      const { index } = await openIndex(engine, DIMENSIONS);
      const query = rowOf(queries, 0);

      expect((await index.search(query, K)).ids).toHaveLength(0);
      await index.add(few.ids, few.rows);
      expect((await index.search(query, K, { allow: new BigUint64Array(0) })).ids).toHaveLength(0);
      expect((await index.search(query, K, { allow: few.ids })).ids).toHaveLength(K);
    });

    test('more than there are gives all there are', async () => {
      const index = await indexWith(engine, few);
      const allow = BigUint64Array.of(few.ids[1] ?? 0n, few.ids[1] ?? 0n, 999_999n);

      expect((await index.search(rowOf(few, 0), MAX_K)).ids).toHaveLength(few.count);
      expect((await index.search(rowOf(few, 0), K, { allow })).ids).toEqual(few.ids.slice(1, 2));
    });

    test('a signal that fires frees the caller', async () => {
      const index = await indexWith(engine, few);
      const signal = AbortSignal.abort();

      await expect(index.search(rowOf(few, 0), K, { signal })).rejects.toMatchObject(
        withCode('ABORTED'),
      );
    });
  });

  describe('changing', () => {
    test('an id that is added again has its new vector only', async () => {
      const index = await indexWith(engine, few);
      const id = few.ids.slice(3, 4);

      await index.add(id, rowOf(queries, 5));

      expect(index.size).toBe(few.count);
      expect((await index.search(rowOf(queries, 5), 1)).ids).toEqual(id);
      const { ids, scores } = await index.search(rowOf(few, 3), 1);
      expect(ids[0] !== id[0] || (scores[0] ?? 1) < 0.999).toBe(true);
    });

    test('of an id given twice at once the last counts', async () => {
      const { index } = await openIndex(engine, DIMENSIONS);
      const ids = BigUint64Array.of(5n, 6n, 5n);

      await index.add(ids, few.rows.slice(0, 3 * DIMENSIONS));

      expect(index.size).toBe(2);
      const { scores } = await index.search(rowOf(few, 2), 1);
      expect(scores[0]).toBeCloseTo(1, 5);
    });

    test('a removed id is not found, and comes back when added again', async () => {
      const index = await indexWith(engine, photos);
      const gone = photos.ids.filter((_, row) => row % 2 === 0);
      const kept = without(photos, new Set(gone));

      await index.remove(gone);
      await index.remove(BigUint64Array.of(1n, 999_999n)); // unknown by now
      const afterRemoval = await meanRecall(index, kept, queries);
      expect(index.size).toBe(kept.ids.length);
      await index.add(photos.ids, photos.rows);
      const afterReturn = await meanRecall(index, photos, queries);

      expect(index.size).toBe(COUNT);
      expect(afterRemoval.mean).toBeGreaterThanOrEqual(FLOOR);
      expect(afterReturn.mean).toBeGreaterThanOrEqual(FLOOR);
    });

    test('everything can be removed and something added', async () => {
      const index = await indexWith(engine, few);

      await index.remove(few.ids);
      expect((await index.search(rowOf(few, 0), K)).ids).toHaveLength(0);
      await index.add(few.ids.slice(0, 1), rowOf(few, 0));

      expect((await index.search(rowOf(few, 1), K)).ids).toEqual(few.ids.slice(0, 1));
    });

    test('ids of all 64 bits are told apart', async () => {
      const { index } = await openIndex(engine, DIMENSIONS);
      const ids = BigUint64Array.of(1n, 1n + 2n ** 32n, 2n ** 63n, 2n ** 64n - 2n);

      await index.add(ids, few.rows.slice(0, 4 * DIMENSIONS));
      await index.remove(ids.slice(1, 2));

      for (const row of [0, 2, 3]) {
        expect((await index.search(rowOf(few, row), 1)).ids[0]).toBe(ids[row]);
      }
      expect(index.size).toBe(3);
    });

    test('searches run while vectors are added, and see what was there before', async () => {
      const index = await indexWith(engine, few);
      const adding = index.add(photos.ids.map((id) => id + 1n), photos.rows); // prettier-ignore

      const found = await Promise.all(
        Array.from({ length: 40 }, (_, i) => index.search(rowOf(few, i % few.count), 1)),
      );
      const sizeMeanwhile = index.size;
      await adding;

      expect(found.map(({ ids }) => ids[0])).toEqual(
        Array.from({ length: 40 }, (_, i) => few.ids[i % few.count]),
      );
      expect(sizeMeanwhile).toBeLessThan(COUNT + few.count);
      expect(index.size).toBe(COUNT + few.count);
    });
  });

  describe('refusing', () => {
    test.each([
      ['NaN', NaN],
      ['infinity', Infinity],
      ['a length other than 1', 3],
    ])('%s is refused and nothing is added', async (_, value) => {
      const { index } = await openIndex(engine, DIMENSIONS);
      const rows = few.rows.slice();
      rows[5 * DIMENSIONS] = value;

      await expect(index.add(few.ids, rows)).rejects.toMatchObject(withCode('BAD_USER_INPUT'));
      const query = rows.slice(5 * DIMENSIONS, 6 * DIMENSIONS);
      await expect(index.search(query, K)).rejects.toMatchObject(withCode('BAD_USER_INPUT'));
      expect(index.size).toBe(0);
    });

    test('another width is refused', async () => {
      const { index } = await openIndex(engine, DIMENSIONS);
      const expected = withCode('DIMENSION_MISMATCH');

      await expect(index.add(few.ids, few.rows.slice(1))).rejects.toMatchObject(expected);
      await expect(index.search(few.rows, K)).rejects.toMatchObject(expected);
    });

    test.each([0, -1, 1.5, NaN, MAX_K + 1])('k and ef can not be %f', async (value) => {
      const index = await indexWith(engine, few);
      const query = rowOf(few, 0);
      const expected = withCode('BAD_USER_INPUT');

      await expect(index.search(query, value)).rejects.toMatchObject(expected);
      await expect(index.search(query, K, { ef: value })).rejects.toMatchObject(expected);
    });

    test('a closed index is unavailable', async () => {
      const index = await indexWith(engine, few);
      await index.close();

      await expect(index.search(rowOf(few, 0), K)).rejects.toMatchObject(
        withCode('INDEX_UNAVAILABLE'),
      );
    });
  });

  describe('snapshots', () => {
    test('a snapshot holds what the index held, and more can be added', async () => {
      const path = join(await temporaryFolder(), 'photos.index');
      const index = await indexWith(engine, photos);
      await index.remove(photos.ids.slice(0, 100));
      await index.save(path, 12_345_678_901n);
      const kept = without(photos, new Set(photos.ids.slice(0, 100)));

      const { index: again, restored } = await openIndex(engine, DIMENSIONS, { snapshot: path });

      expect(restored).toEqual({ outcome: 'RESTORED', lastSeq: 12_345_678_901n });
      expect(again.size).toBe(COUNT - 100);
      expect((await meanRecall(again, kept, queries)).mean).toBeGreaterThanOrEqual(FLOOR);
      await again.add(photos.ids, photos.rows);
      expect((await meanRecall(again, photos, queries)).mean).toBeGreaterThanOrEqual(FLOOR);
    });

    test('an empty index has a snapshot too, and no file is no fault', async () => {
      const path = join(await temporaryFolder(), 'photos.index');
      const { index, restored } = await openIndex(engine, DIMENSIONS, { snapshot: path });
      await index.save(path, 3n);

      const second = await openIndex(engine, DIMENSIONS, { snapshot: path });

      expect(restored).toEqual({ outcome: 'NONE' });
      expect(second.restored).toEqual({ outcome: 'RESTORED', lastSeq: 3n });
    });

    test.each<[string, (path: string) => Promise<void>]>([
      ['empty', (path) => truncate(path, 0)],
      ['cut in its header', (path) => truncate(path, 40)],
      ['cut short by a byte', async (path) => truncate(path, (await stat(path)).size - 1)],
      ['cut in half', async (path) => truncate(path, Math.floor((await stat(path)).size / 2))],
      ['one byte longer', async (path) => writeFile(path, 'x', { flag: 'a' })],
      ['of another format version', (path) => flipBit(path, 8)],
      ['something else', (path) => writeFile(path, 'Lorem ipsum dolor sit amet, '.repeat(9))],
      ['damaged by a flipped bit in the header', (path) => flipBit(path, 60)],
      ['damaged by a flipped bit in the body', (path) => flipBit(path, 700)],
      ['damaged by a flipped bit near the end', (path) => flipBit(path, -40)],
      ['damaged by a flipped bit in its checksum', (path) => flipBit(path, -1)],
    ])('a file that is %s is moved aside and reported', async (_, damage) => {
      const path = join(await temporaryFolder(), 'photos.index');
      const index = await indexWith(engine, few);
      await index.save(path, 7n);
      await damage(path);

      const { index: empty, restored } = await openIndex(engine, DIMENSIONS, { snapshot: path });

      expect(restored).toMatchObject({ outcome: 'QUARANTINED', movedTo: `${path}.quarantined` });
      await expect(stat(path)).rejects.toThrow('ENOENT');
      await stat(`${path}.quarantined`);
      expect(empty.size).toBe(0);
      await empty.add(few.ids, few.rows);
      expect((await empty.search(rowOf(few, 2), 1)).ids[0]).toBe(few.ids[2]);
    });

    test.each([
      ['vision space', { fingerprint: 'space b' }],
      ['width', { dimensions: 16 }],
      ['engine', { engine: engine === 'exact' ? 'usearch' : 'exact' }],
    ] as const)('a snapshot of another %s is not used', async (_, other) => {
      const path = join(await temporaryFolder(), 'photos.index');
      await (await indexWith(engine, few)).save(path, 7n);

      const { index, restored } = await openIndex(engine, DIMENSIONS, { snapshot: path, ...other });

      expect(restored.outcome).toBe('QUARANTINED');
      expect(index.size).toBe(0);
    });
  });
}

async function meanRecall(
  index: ThreadIndex,
  truth: Pick<Vectors, 'ids' | 'rows' | 'dimensions'>,
  queries: Vectors,
  allow?: BigUint64Array,
): Promise<{ readonly mean: number; readonly paths: ReadonlySet<string> }> {
  const allowed = allow && new Set(allow);
  const paths = new Set<string>();
  let sum = 0;
  for (let row = 0; row < queries.count; row++) {
    const query = rowOf(queries, row);
    const { ids, path } = await index.search(query, K, allow === undefined ? {} : { allow });
    sum += recall(
      ids,
      plainNearest(truth, query, K, (id) => allowed?.has(id) ?? true),
    );
    paths.add(path);
  }
  return { mean: sum / queries.count, paths };
}

/** A number of [0, 1) for an id, always the same. */
function scatter(id: bigint): number {
  return Number(BigInt.asUintN(32, id * 2_654_435_761n)) / 2 ** 32;
}

function without(
  { ids, rows, dimensions }: Vectors,
  gone: ReadonlySet<bigint>,
): Pick<Vectors, 'ids' | 'rows' | 'dimensions'> {
  const kept = Array.from(ids.keys()).filter((row) => !gone.has(ids[row] ?? 0n));
  return {
    ids: BigUint64Array.from(kept, (row) => ids[row] ?? 0n),
    rows: Float32Array.from(
      kept.flatMap((row) => [...rows.subarray(row * dimensions, (row + 1) * dimensions)]),
    ),
    dimensions,
  };
}

async function flipBit(path: string, at: number): Promise<void> {
  const bytes = await readFile(path);
  const position = at < 0 ? bytes.length + at : at;
  bytes[position] = (bytes[position] ?? 0) ^ 4;
  await writeFile(path, bytes);
}
