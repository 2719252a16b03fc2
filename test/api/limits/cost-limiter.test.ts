import { describe, expect, test } from '@jest/globals';
import { CostLimiter, RateLimitedError } from '../../../api/limits/cost-limiter.ts';
import { Random } from '../../../platform/random.ts';
import { withCode } from '../../support/errors.ts';
import { refusal } from '../../support/refusal.ts';

function limiterAt(clock: { ms: number }, maxKeys = 100): CostLimiter {
  return new CostLimiter({ capacity: 100, refillPerSecond: 10, maxKeys, now: () => clock.ms });
}

describe('an allowance', () => {
  test('is full at first, and what is taken comes back steadily', () => {
    const clock = { ms: 1_000 };
    const limiter = limiterAt(clock);

    expect(limiter.take('a', 60)).toEqual({
      allowed: true,
      remaining: 40,
      resetSeconds: 6,
      limit: 100,
    });
    expect(limiter.take('a', 60)).toMatchObject({ allowed: false, remaining: 40 });
    clock.ms += 2_000;
    expect(limiter.take('a', 60)).toMatchObject({ allowed: true, remaining: 0, resetSeconds: 10 });
  });

  test('of one key is not that of another', () => {
    const limiter = limiterAt({ ms: 0 });
    limiter.take('a', 100);

    expect(limiter.take('b', 100).allowed).toBe(true);
  });

  test('does not grow by a clock that runs backwards', () => {
    const clock = { ms: 10_000 };
    const limiter = limiterAt(clock);
    limiter.take('a', 100);
    clock.ms = 0;

    expect(limiter.take('a', 1).allowed).toBe(false);
  });

  test('is not given back by costs below zero or without a value', () => {
    const limiter = limiterAt({ ms: 0 });
    limiter.take('a', 100);

    expect(limiter.take('a', -50)).toMatchObject({ allowed: false, remaining: 0 });
    expect(limiter.take('a', NaN)).toMatchObject({ allowed: false, remaining: 0 });
  });

  test('over any time is at most the capacity and what came back', () => {
    const random = new Random('cost-limiter', 1);
    const clock = { ms: 0 };
    const limiter = limiterAt(clock);
    let spent = 0;
    for (let request = 0; request < 2_000; request++) {
      clock.ms += random.below(500);
      const cost = random.below(60);
      if (limiter.take('a', cost).allowed) spent += cost;

      expect(spent).toBeLessThanOrEqual(100 + (clock.ms / 1_000) * 10 + 1e-6);
    }
    expect(spent).toBeGreaterThan(0.9 * (clock.ms / 1_000) * 10);
  });

  test('is remembered for so many keys only', () => {
    const limiter = limiterAt({ ms: 0 }, 2);
    limiter.take('a', 100);
    limiter.take('b', 100);
    limiter.take('c', 100);

    expect(limiter.take('c', 1).allowed).toBe(false);
    expect(limiter.take('a', 1).allowed).toBe(true);
  });
});

describe('charging', () => {
  test('tells how long to wait when a key has used up its allowance, and then it fits', () => {
    const clock = { ms: 0 };
    const limiter = limiterAt(clock);
    limiter.charge('a', 95);

    const error = refusal(() => limiter.charge('a', 36));

    expect(error).toMatchObject({ code: 'RATE_LIMITED', retryable: true, retryAfterSeconds: 4 });
    expect(error).toBeInstanceOf(RateLimitedError);
    clock.ms += 4_000;
    expect(limiter.charge('a', 36).allowed).toBe(true);
  });

  test('refuses for good what is more than the whole allowance, and takes nothing', () => {
    const limiter = limiterAt({ ms: 0 });

    for (const cost of [101, 1e30, Infinity, NaN]) {
      expect(refusal(() => limiter.charge('a', cost))).toMatchObject(withCode('COST_EXCEEDED'));
    }
    expect(limiter.charge('a', 100).allowed).toBe(true);
  });
});

test('settings that could never allow anything are refused', () => {
  expect(refusal(() => new CostLimiter({ capacity: 0, refillPerSecond: 1 }))).toMatchObject(
    withCode('INVALID_CONFIG'),
  );
  expect(refusal(() => new CostLimiter({ capacity: 1, refillPerSecond: NaN }))).toMatchObject(
    withCode('INVALID_CONFIG'),
  );
});
