import { PlatformError } from '../platform/errors.ts';

/** Absent: every request is a new one. */
export function checkIdempotencyKey(key: string | null | undefined): string | null {
  if (key === null || key === undefined) return null;
  if (key.length >= 1 && key.length <= 200 && !key.includes('\0')) return key;
  throw new PlatformError('BAD_USER_INPUT', 'An idempotencyKey has 1 to 200 characters.');
}
