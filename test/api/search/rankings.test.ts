import { expect, test } from '@jest/globals';
import { Rankings, type FindNearest } from '../../../api/search/rankings.ts';
import type { Neighbors } from '../../../indexer/vector-index/vector-index.ts';
import { rejection, withCode } from '../../support/errors.ts';

/** Images with scores, which change while someone turns pages. */
class Shelf {
  readonly #scores = new Map<bigint, number>();
  readonly asked: number[] = [];

  constructor(count: number) {
    for (let i = 1; i <= count; i++) this.put(BigInt(i), 1 - i / 10_000);
  }

  put(id: bigint, score: number): void {
    this.#scores.set(id, score);
  }

  remove(id: bigint): void {
    this.#scores.delete(id);
  }

  readonly find: FindNearest = (k) => {
    this.asked.push(k);
    const ranked = [...this.#scores].sort(([a, s], [b, t]) => t - s || (a < b ? -1 : 1));
    const best = ranked.slice(0, k);
    return Promise.resolve<Neighbors>({
      ids: BigUint64Array.from(best, ([id]) => id),
      scores: Float32Array.from(best, ([, score]) => score),
      path: 'EXACT',
    });
  };
}

/** Of processes that share a data folder. */
const SECRET = Buffer.alloc(32, 7);
const QUERY = { text: 'a parrot' };

async function readAll(
  shelf: Shelf,
  rankings: () => Rankings,
  betweenPages: (page: number) => void = () => undefined,
): Promise<bigint[]> {
  const read: bigint[] = [];
  let after: string | null = null;
  for (let page = 1; ; page++) {
    const from = rankings();
    const request = { query: QUERY, generationId: 'g', first: 7, after };
    const { images, hasMore } = await from.page(request, shelf.find);
    read.push(...images.map(({ id }) => id));
    const last = images.at(-1);
    if (!hasMore || last === undefined) return read;
    after = from.cursorOf(QUERY, 'g', last);
    betweenPages(page);
  }
}

const upTo = (count: number): bigint[] => Array.from({ length: count }, (_, i) => BigInt(i + 1));

test('pages joined are the whole ranking, however deep', async () => {
  const [shelf, rankings] = [new Shelf(501), new Rankings()];

  const read = await readAll(shelf, () => rankings);

  expect(read).toEqual(upTo(501));
  expect(shelf.asked).toEqual([100, 400, 1600]);
});

test('an image that comes or goes meanwhile shifts nothing', async () => {
  const [shelf, rankings] = [new Shelf(60), new Rankings()];

  const read = await readAll(
    shelf,
    () => rankings,
    (page) => {
      shelf.put(BigInt(1000 + page), 2); // would be first
      shelf.remove(BigInt(page));
    },
  );

  expect(read).toEqual(upTo(60));
});

test('another process goes on after the cursor, and repeats nothing', async () => {
  const shelf = new Shelf(60);

  const read = await readAll(
    shelf,
    () => new Rankings(SECRET),
    (page) => {
      shelf.put(BigInt(1000 + page), 2);
      shelf.remove(BigInt(page));
    },
  );

  expect(read).toEqual(upTo(60));
});

test('equal scores are read in the order of ids, each once, by several processes', async () => {
  const shelf = new Shelf(0);
  for (const id of upTo(30)) shelf.put(id, 0.5);

  const read = await readAll(shelf, () => new Rankings(SECRET));

  expect(read).toEqual(upTo(30));
});

test('a question without a cursor gets what is there now', async () => {
  const [shelf, rankings] = [new Shelf(5), new Rankings()];
  const request = { query: QUERY, generationId: 'g', first: 1, after: null };
  await rankings.page(request, shelf.find);
  shelf.put(99n, 2);

  const { images } = await rankings.page(request, shelf.find);

  expect(images[0]?.id).toBe(99n);
});

test('a cursor of another query or a past generation is refused', async () => {
  const [shelf, rankings] = [new Shelf(5), new Rankings()];
  const first = await rankings.page(
    { query: QUERY, generationId: 'g', first: 2, after: null },
    shelf.find,
  );
  const [image] = first.images;
  if (!image) throw new Error('An empty page.');
  const after = rankings.cursorOf(QUERY, 'g', image);

  const ask = (query: unknown, generationId: string) =>
    rankings.page({ query, generationId, first: 2, after }, shelf.find);

  expect(await rejection(ask({ text: 'a dog' }, 'g'))).toMatchObject(withCode('BAD_USER_INPUT'));
  expect(await rejection(ask(QUERY, 'h'))).toMatchObject(withCode('CURSOR_EXPIRED'));
});

test('a cursor that was altered is refused, however deep it points', async () => {
  const [shelf, rankings] = [new Shelf(5), new Rankings()];
  const page = { query: QUERY, generationId: 'g', first: 2 };
  const [image] = (await rankings.page({ ...page, after: null }, shelf.find)).images;
  if (!image) throw new Error('An empty page.');
  const cursor = rankings.cursorOf(QUERY, 'g', image);
  const text = Buffer.from(cursor, 'base64url').toString().replace('"r":1,', '"r":9000,');
  const after = Buffer.from(text).toString('base64url');

  expect(await rejection(rankings.page({ ...page, after }, shelf.find))).toMatchObject(
    withCode('BAD_USER_INPUT'),
  );
  expect(Math.max(...shelf.asked)).toBe(100);
});
