import { expect, test } from '@jest/globals';
import { IdTable, idWords } from '../../../indexer/vector-index/id-table.ts';
import { Random } from '../../../platform/random.ts';

test('it answers as a Map does, whatever is set and deleted', () => {
  const random = new Random('id table');
  // Few distinct low words: long runs, where deleting has to move others up.
  const ids = BigUint64Array.from(
    { length: 3000 },
    () => (BigInt(random.below(40)) << 32n) | BigInt(random.below(40)),
  );
  const words = idWords(ids);
  const table = new IdTable();
  const map = new Map<bigint, number>();

  for (let step = 0; step < 20_000; step++) {
    const at = random.below(ids.length);
    const id = ids[at] ?? 0n;
    if (random.uniform() < 0.5) {
      table.delete(words, at);
      map.delete(id);
    } else {
      table.set(words, at, step);
      map.set(id, step);
    }
  }

  expect(table.size).toBe(map.size);
  expect(Array.from(ids, (_, at) => table.get(words, at))).toEqual(
    Array.from(ids, (id) => map.get(id) ?? -1),
  );
});
