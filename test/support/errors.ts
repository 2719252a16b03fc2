import type { ErrorCode } from '../../platform/errors.ts';

/** For `toMatchObject`: an error with this code. */
export function withCode(code: ErrorCode): { code: ErrorCode } {
  return { code };
}

/** What a promise rejects with; fails the test when it doesn't. */
export async function rejection(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
  throw new Error('It should have been refused.');
}
