import { PlatformError } from '../platform/errors.ts';

/** The text itself, or null where none is given. Throws `BAD_USER_INPUT` when it is too long. */
export function checkText(text: string | null | undefined, most: number): string | null {
  if (text === null || text === undefined || text.length <= most) return text ?? null;
  const message = `It has at most ${most} characters, not ${text.length}.`;
  throw new PlatformError('BAD_USER_INPUT', message);
}
