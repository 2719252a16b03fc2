import type { z } from 'zod';
import { PlatformError } from '../platform/errors.ts';

/** An opaque cursor: what it is of, and where. */
export function encodeCursor(kind: string, position: unknown): string {
  return Buffer.from(JSON.stringify([kind, position])).toString('base64url');
}

/** Longest cursor read; ours are far shorter. */
const MAX_LENGTH = 1000;

/** What a cursor says. Throws `BAD_USER_INPUT` for one of another kind, and for what isn't one. */
export function decodeCursor<T>(kind: string, cursor: string, schema: z.ZodType<T>): T {
  const parsed = cursor.length > MAX_LENGTH ? null : parse(cursor);
  const position = Array.isArray(parsed) && parsed[0] === kind ? schema.safeParse(parsed[1]) : null;
  if (position?.success === true) return position.data;
  const message = `"after" must be the "endCursor" of a page of this same list.`;
  throw new PlatformError('BAD_USER_INPUT', message);
}

function parse(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    return null;
  }
}

export const MAX_PAGE_SIZE = 100;

/** Throws `BAD_USER_INPUT` unless `first` is from 1 to `most`. */
export function checkPageSize(first: number | null | undefined, most = MAX_PAGE_SIZE): number {
  const size = first ?? 20;
  if (size >= 1 && size <= most) return size;
  throw new PlatformError('BAD_USER_INPUT', `"first" must be from 1 to ${most}.`);
}
