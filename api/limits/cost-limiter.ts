import { LRUCache } from 'lru-cache';
import { PlatformError } from '../../platform/errors.ts';

export interface CostLimiterOptions {
  /** Cost that a rested key may spend at once, and the most that one request may cost. */
  readonly capacity: number;
  /** Cost that comes back each second. One unit is about 0.1 ms of work: 10,000 are one core's whole time. */
  readonly refillPerSecond: number;
  /** Keys remembered. The longest unused is forgotten first, and starts full when it comes back. */
  readonly maxKeys?: number;
  /** Milliseconds; only differences count. */
  readonly now?: () => number;
}

/** Ten seconds of one core's work at once, then two cores' whole time: one busy client may have a small machine to itself. */
export const COST_CAPACITY = 100_000;
export const COST_REFILL_PER_SECOND = 20_000;

const MAX_KEYS = 10_000;

export interface CostAllowance {
  readonly allowed: boolean;
  /** What the key may still spend now. */
  readonly remaining: number;
  /** Until the key may spend everything again. */
  readonly resetSeconds: number;
  readonly limit: number;
}

interface Bucket {
  readonly spent: number;
  readonly at: number;
}

/** A leaky bucket for each key: it fills with what requests cost and leaks at a steady rate. */
export class CostLimiter {
  readonly #capacity: number;
  readonly #refillPerSecond: number;
  readonly #now: () => number;
  readonly #buckets: LRUCache<string, Bucket>;

  constructor(options: CostLimiterOptions) {
    const {
      capacity,
      refillPerSecond,
      maxKeys = MAX_KEYS,
      now = () => performance.now(),
    } = options;
    if (!(capacity > 0 && refillPerSecond > 0 && Number.isFinite(capacity + refillPerSecond))) {
      throw new PlatformError('INVALID_CONFIG', 'Cost capacity and refill must be above 0.');
    }
    this.#capacity = capacity;
    this.#refillPerSecond = refillPerSecond;
    this.#now = now;
    this.#buckets = new LRUCache({ max: maxKeys });
  }

  /** Takes the cost from the key's allowance, or nothing when it doesn't fit. */
  take(key: string, cost: number): CostAllowance {
    const spent = this.#spent(key);
    const allowed = cost >= 0 && spent + cost <= this.#capacity;
    const after = allowed ? spent + cost : spent;
    this.#buckets.set(key, { spent: after, at: this.#now() });
    return {
      allowed,
      remaining: Math.floor(this.#capacity - after),
      resetSeconds: Math.ceil(after / this.#refillPerSecond),
      limit: this.#capacity,
    };
  }

  /** Takes the cost or throws: COST_EXCEEDED when it never fits, RATE_LIMITED when it doesn't fit yet. */
  charge(key: string, cost: number): CostAllowance {
    if (!(cost <= this.#capacity)) throw costExceeded(cost, this.#capacity);
    const allowance = this.take(key, cost);
    if (!allowance.allowed) throw new RateLimitedError(cost, this.#secondsUntil(key, cost));
    return allowance;
  }

  #spent(key: string): number {
    const bucket = this.#buckets.get(key);
    if (bucket === undefined) return 0;
    const seconds = Math.max(0, this.#now() - bucket.at) / 1_000;
    return Math.max(0, bucket.spent - seconds * this.#refillPerSecond);
  }

  #secondsUntil(key: string, cost: number): number {
    const missing = this.#spent(key) + cost - this.#capacity;
    return Math.max(1, Math.ceil(missing / this.#refillPerSecond));
  }
}

function costExceeded(cost: number, limit: number): PlatformError {
  const shown = Number.isSafeInteger(cost) ? String(cost) : 'far more';
  return new PlatformError(
    'COST_EXCEEDED',
    `This request costs ${shown} and one may cost ${limit}. Reduce "first", nested connections, terms or labels, or split it.`,
  );
}

/** The same request will be answered after `retryAfterSeconds`, if the key asks for nothing else. */
export class RateLimitedError extends PlatformError {
  readonly retryAfterSeconds: number;

  constructor(cost: number, retryAfterSeconds: number) {
    super(
      'RATE_LIMITED',
      `This key has used up its allowance. A request of cost ${cost} fits again in ${retryAfterSeconds} s.`,
    );
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
