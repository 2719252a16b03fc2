import { DatabaseError } from 'pg';
import { messageOf, PlatformError, systemErrorCode } from '../../platform/errors.ts';
import { isDatabaseAway } from '../../store/database-away.ts';
import type { Claim, ClaimedItem, Outcome } from '../../store/job-items.ts';
import type { Commit } from './define-job.ts';

// What an error means to a batch: whose fault it is, and whether to try again.

const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 60_000;

export function isConflict(error: unknown): boolean {
  return error instanceof PlatformError && error.code === 'CONFLICT';
}

/** The worker is to stop, or lost what it had. */
export function isStop(error: unknown, signal: AbortSignal): boolean {
  return signal.aborted || (error instanceof PlatformError && error.code === 'ABORTED');
}

/** No item will fare better than another: settings, models, what others hold, the database. */
export function isOfTheBatch(error: unknown): boolean {
  if (error instanceof PlatformError)
    return error.retryable || isConflict(error) || isHopeless(error);
  return error instanceof DatabaseError || systemErrorCode(error) !== null || isDatabaseAway(error);
}

/** Until somebody changes the settings. */
export function isHopeless({ code }: PlatformError): boolean {
  return ['MODEL_MISMATCH', 'INVALID_BUNDLE', 'INVALID_CONFIG'].includes(code);
}

/** Not at once; FAILED with the last try. What can't succeed isn't tried again. */
export function retryLater({ items }: Claim, error: unknown): Commit {
  const message = messageOf(error);
  const isFinal = error instanceof PlatformError && !error.retryable && error.code !== 'ABORTED';
  const outcome = ({ attempt }: ClaimedItem): Outcome => {
    const reasonCode = error instanceof PlatformError ? error.code : 'INTERNAL_ERROR';
    if (isFinal) return { kind: 'failed', reasonCode, message };
    const delay = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** (attempt - 1));
    return { kind: 'retry', reasonCode, message, notBefore: new Date(Date.now() + delay) };
  };
  return () => Promise.resolve(new Map(items.map((item) => [item.id, outcome(item)])));
}
