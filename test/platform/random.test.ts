import { expect, test } from '@jest/globals';
import { Random } from '../../platform/random.ts';

test('the same seeds give the same numbers, other seeds others', () => {
  const draw = (...seeds: (string | number)[]): number[] => {
    const random = new Random(...seeds);
    return Array.from({ length: 5 }, () => random.uniform());
  };

  expect(draw('a', 1)).toEqual(draw('a', 1));
  expect(draw('a', 1)).not.toEqual(draw('a', 2));
});

test('uniform numbers fill [0, 1) evenly', () => {
  const random = new Random('even');
  const tenths = new Array<number>(10).fill(0);
  for (let i = 0; i < 10_000; i++) {
    const tenth = Math.floor(random.uniform() * 10);
    tenths[tenth] = (tenths[tenth] ?? 0) + 1;
  }

  expect(Math.min(...tenths)).toBeGreaterThan(850);
  expect(Math.max(...tenths)).toBeLessThan(1150);
});

test('normal numbers have mean 0 and deviation 1', () => {
  const random = new Random('normal');
  const values = Array.from({ length: 10_000 }, () => random.normal());
  const mean = values.reduce((a, b) => a + b) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;

  expect(Math.abs(mean)).toBeLessThan(0.05);
  expect(Math.abs(variance - 1)).toBeLessThan(0.05);
});

test('a permutation holds every number once, in another order', () => {
  const order = new Random('order').permutation(100);

  expect([...order].sort((a, b) => a - b)).toEqual([...Array(100).keys()]);
  expect([...order]).not.toEqual([...Array(100).keys()]);
});
