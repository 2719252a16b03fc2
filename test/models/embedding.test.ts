import { expect, test } from '@jest/globals';
import { cosine, meanEmbedding, normalize, splitEmbeddings } from '../../models/embedding.ts';
import { withCode } from '../support/errors.ts';

test('normalizing keeps the direction and gives length 1', () => {
  expect([...normalize(Float32Array.of(3, 4))]).toEqual([Math.fround(0.6), Math.fround(0.8)]);
});

test.each([
  ['zero', [0, 0]],
  ['NaN', [NaN, 1]],
  ['infinity', [Infinity, 1]],
])('%s has no direction', (_name, values) => {
  expect(() => normalize(Float32Array.from(values))).toThrow(
    expect.objectContaining(withCode('NON_FINITE_OUTPUT')),
  );
});

test('rows that are not unit vectors are refused', () => {
  expect(splitEmbeddings(Float32Array.of(1, 0, 0, 1), 2)).toHaveLength(2);
  for (const bad of [NaN, 0.9, Infinity]) {
    expect(() => splitEmbeddings(Float32Array.of(1, 0, bad, 0), 2)).toThrow(
      expect.objectContaining(withCode('NON_FINITE_OUTPUT')),
    );
  }
});

test('the mean of two directions lies between them', () => {
  const [east, north] = [normalize(Float32Array.of(1, 0)), normalize(Float32Array.of(0, 1))];

  const between = meanEmbedding([east, north]);

  expect(cosine(between, east)).toBeCloseTo(Math.SQRT1_2);
  expect(cosine(between, north)).toBeCloseTo(Math.SQRT1_2);
});
