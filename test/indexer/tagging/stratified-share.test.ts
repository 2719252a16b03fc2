import { describe, expect, test } from '@jest/globals';
import { recallOf, shareOf, type Stratum } from '../../../indexer/tagging/stratified-share.ts';
import { wilson } from '../../../indexer/tagging/wilson.ts';
import { Random } from '../../../platform/random.ts';

const NONE = { count: 0, right: 0 };

function stratum(size: number, drawn: readonly [number, number], chosen = NONE): Stratum {
  const [right, count] = drawn;
  return { size, drawn: { right, count }, chosen };
}

describe("Wilson's interval", () => {
  // Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
  test.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])('of %d in %d is as published', (right, count, low, high) => {
    const interval = wilson(right / count, count);

    expect(interval.low).toBeCloseTo(low, 4);
    expect(interval.high).toBeCloseTo(high, 4);
  });

  test('is everything when nothing was looked at, and nothing but the value when all was', () => {
    expect(wilson(0.3, 0)).toMatchObject({ low: 0, high: 1 });
    expect(wilson(0.3, Infinity)).toMatchObject({ low: 0.3, high: 0.3 });
  });
});

describe('the share of a population', () => {
  test('is unknown without verdicts', () => {
    expect(shareOf([stratum(100, [0, 0])])).toBeNull();
  });

  test('weighs strata by their sizes, not by how many verdicts they have', () => {
    const share = shareOf([stratum(900, [5, 10]), stratum(100, [90, 90])]);

    expect(share?.value).toBeCloseTo(0.9 * 0.5 + 0.1);
    expect(share).toMatchObject({ size: 1000, sampleSize: 100 });
  });

  test('takes verdicts that a person chose for themselves only', () => {
    const share = shareOf([stratum(100, [8, 10], { count: 20, right: 0 })]);

    expect(share?.value).toBeCloseTo((0 + 80 * 0.8) / 100);
  });

  test('makes do with chosen verdicts when there are no others', () => {
    expect(shareOf([stratum(100, [0, 0], { count: 20, right: 15 })])?.value).toBeCloseTo(0.75);
  });

  test('is certain when everything was looked at', () => {
    const share = shareOf([stratum(10, [6, 8], { count: 2, right: 1 })]);

    expect(share).toMatchObject({ value: 0.7, low: 0.7, high: 0.7 });
  });

  test('counts a stratum that nobody drew from to the one before it', () => {
    expect(shareOf([stratum(50, [5, 10]), stratum(50, [0, 0])])?.value).toBeCloseTo(0.5);
    expect(shareOf([stratum(50, [0, 0]), stratum(50, [5, 10])])?.value).toBeCloseTo(0.5);
  });

  test('lies in its interval in some 95 of 100 samples, whoever else was looked at first', () => {
    const random = new Random('coverage');
    const strata = [0.3, 0.6, 0.9].map((chance, i) => {
      const size = [400, 200, 100][i] ?? 0;
      return Array.from({ length: size }, () => random.uniform() < chance);
    });
    const truth = strata.flat().filter(Boolean).length / strata.flat().length;

    const rounds = 1000;
    let inside = 0;
    for (let round = 0; round < rounds; round++) {
      const share = shareOf(
        strata.map((members, i) => {
          const order = [...random.permutation(members.length)].map((at) => members[at] ?? false);
          const [chosen, drawn] = [order.slice(0, 5), order.slice(5, 15 + 2 * i)];
          const count = (some: readonly boolean[]) => ({
            count: some.length,
            right: some.filter(Boolean).length,
          });
          return { size: members.length, drawn: count(drawn), chosen: count(chosen) };
        }),
      );
      if (share && truth >= share.low && truth <= share.high) inside++;
    }

    expect(inside / rounds).toBeGreaterThan(0.93);
    expect(inside / rounds).toBeLessThan(0.995);
  });
});

describe('recall', () => {
  const found = { size: 100, sampleSize: 30, value: 0.9, low: 0.75, high: 0.96 };

  test('is what was found of what there is', () => {
    const missed = { size: 900, sampleSize: 30, value: 0.1, low: 0.04, high: 0.25 };

    const recall = recallOf(found, missed);

    expect(recall?.value).toBeCloseTo(0.5);
    expect(recall?.low).toBeGreaterThan(90 / (90 + 225) - 0.05);
    expect(recall?.low).toBeLessThan(0.5);
    expect(recall?.high).toBeGreaterThan(0.5);
    expect(recall?.high).toBeLessThan(96 / (96 + 36) + 0.05);
  });

  test('is all when nothing can have been missed', () => {
    const missed = { size: 0, sampleSize: 5, value: 0, low: 0, high: 0 };

    expect(recallOf(found, missed)).toMatchObject({ value: 1, low: 1, high: 1 });
  });

  test('is unknown when nothing shows the label', () => {
    const nothing = { size: 10, sampleSize: 5, value: 0, low: 0, high: 0.4 };

    expect(recallOf(nothing, nothing)).toBeNull();
  });
});
