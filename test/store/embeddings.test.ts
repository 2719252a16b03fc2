import { expect, test } from '@jest/globals';
import { Random } from '../../platform/random.ts';
import {
  addEmbeddings,
  findEmbedded,
  hexOf,
  readEmbeddings,
  scanEmbeddings,
} from '../../store/embeddings.ts';
import { useDatabase } from '../support/database.ts';
import { newIndex, sha256Of } from '../support/rows.ts';

const database = await useDatabase();
const { pool } = database;

const hashes = (count: number): Buffer[] =>
  Array.from({ length: count }, (_, i) => sha256Of(`embedding ${i}`));

test('every bit pattern of a float32 comes back as it was', async () => {
  const { visionSpaceId } = await newIndex(database);
  const random = new Random('bits');
  const bits = new Uint32Array(random.bytes(4 * 384 * 3).buffer.slice(0, 4 * 384 * 3));
  bits.set([0, 0x80000000, 1, 0x7f7fffff, 0x7f800000, 0x7fc00001, 0x00800000]);
  const vectors = new Float32Array(bits.buffer);

  await addEmbeddings(pool, { visionSpaceId, sha256s: hashes(3), vectors });

  const stored = await readEmbeddings(pool, visionSpaceId, hashes(3));
  for (const [i, hash] of hashes(3).entries()) {
    const row = stored.get(hexOf(hash)) ?? new Float32Array();
    expect(new Uint32Array(row.buffer)).toEqual(bits.subarray(i * 384, (i + 1) * 384));
  }
});

test('more than one statement holds are all there, page by page in the order of their hashes', async () => {
  const { visionSpaceId } = await newIndex(database);
  const sha256s = hashes(1203);
  const vectors = Float32Array.from({ length: 1203 * 2 }, (_, i) => i);

  await addEmbeddings(pool, { visionSpaceId, sha256s, vectors });

  const rows = [];
  for await (const page of scanEmbeddings(pool, visionSpaceId, 100)) rows.push(...page);
  expect(rows).toHaveLength(1203);
  const expected = new Map(sha256s.map((hash, i) => [hexOf(hash), [2 * i, 2 * i + 1]]));
  for (const { sha256, vector } of rows) {
    expect([...vector]).toEqual(expected.get(hexOf(sha256)));
  }
});

test('bytes that have an embedding keep it, also when two writers bring them at once', async () => {
  const { visionSpaceId } = await newIndex(database);
  const sha256s = hashes(50);
  const write = (value: number, order: readonly Buffer[]): Promise<void> => {
    const vectors = new Float32Array(50 * 2).fill(value);
    return addEmbeddings(pool, { visionSpaceId, sha256s: order, vectors });
  };
  await write(1, sha256s);

  await Promise.all([write(2, sha256s), write(3, sha256s.toReversed())]);

  const stored = await readEmbeddings(pool, visionSpaceId, sha256s);
  expect([...stored.values()].every((vector) => vector[0] === 1)).toBe(true);
  expect(stored.size).toBe(50);
});

test('what is missing is left out of the answers, in each space for itself', async () => {
  const { visionSpaceId } = await newIndex(database);
  const other = await newIndex(database);
  const [known, unknown] = hashes(2);
  const sha256s = [known ?? Buffer.alloc(32)];
  await addEmbeddings(pool, { visionSpaceId, sha256s, vectors: Float32Array.of(1) });

  const asked = [...sha256s, unknown ?? Buffer.alloc(32)];
  expect(await findEmbedded(pool, visionSpaceId, asked)).toEqual(new Set(sha256s.map(hexOf)));
  expect((await findEmbedded(pool, other.visionSpaceId, asked)).size).toBe(0);
});
