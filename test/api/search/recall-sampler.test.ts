import { expect, test } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import { RecallSampler } from '../../../api/search/recall-sampler.ts';
import type { Neighbors, SearchPath } from '../../../indexer/vector-index/vector-index.ts';

const IDS = BigUint64Array.from({ length: 10 }, (_, i) => BigInt(i));
const SCORES = Float32Array.from({ length: 10 }, (_, i) => 1 - i / 100);
const QUERY = Float32Array.of(1);

/** Ten neighbors of which the last `missed` are further away than the true ones. */
function answer(missed: number, path: SearchPath = 'HNSW'): Neighbors {
  const scores = SCORES.map((score, i) => (i >= 10 - missed ? 0.1 : score));
  return { ids: IDS, scores, path };
}

function createSampler(sampleEvery = 1) {
  let searches = 0;
  const index = {
    search: () => {
      searches++;
      return Promise.resolve<Neighbors>({ ids: IDS, scores: SCORES, path: 'EXACT' });
    },
  };
  return { sampler: new RecallSampler({ index, sampleEvery }), searches: () => searches };
}

async function observe(sampler: RecallSampler, found: Neighbors, times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    sampler.observe({ query: QUERY, allow: undefined, found });
    await pause(0); // one sample at a time
  }
}

test('recall is the share of true neighbors that graph searches found', async () => {
  const { sampler } = createSampler();

  await observe(sampler, answer(0), 5);
  await observe(sampler, answer(2), 5);

  expect(sampler.samples).toBe(10);
  expect(sampler.recallAt10).toBeCloseTo(0.9);
});

test('ef rises when the mean falls under the target, and samples begin anew', async () => {
  const { sampler } = createSampler();
  const before = sampler.ef;

  await observe(sampler, answer(1), 20);

  expect(sampler.ef).toBeGreaterThan(before);
  expect(sampler.samples).toBe(0);
  expect(sampler.recallAt10).toBeNull();
});

test('ef stays while recall is good', async () => {
  const { sampler } = createSampler();
  const before = sampler.ef;

  await observe(sampler, answer(0), 50);

  expect(sampler.ef).toBe(before);
});

test('only one of so many searches is repeated, and exact ones never', async () => {
  const { sampler, searches } = createSampler(10);

  await observe(sampler, answer(0, 'EXACT'), 50);
  expect(searches()).toBe(0);

  await observe(sampler, answer(0), 50);
  expect(searches()).toBe(5);
});
