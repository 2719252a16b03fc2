import type { IncomingHttpHeaders } from 'node:http';
import { PlatformError } from '../../platform/errors.ts';
import { verifyApiKey } from '../../store/api-keys.ts';
import type { PrismaClient } from '../../store/database.ts';
import { readSessionCookie } from './session-cookie.ts';
import type { Viewer } from './viewer.ts';

/** What a request shows of who sends it. */
export interface Credentials {
  readonly secret: string;
  /** A browser adds its cookie to any request, whoever caused it; a header it doesn't. */
  readonly isCookie: boolean;
}

const BEARER = /^Bearer +(\S{1,200}) *$/i;

/** From `Authorization: Bearer <key>`, or the sign-in cookie; null when there is neither. */
export function credentialsOf(headers: IncomingHttpHeaders): Credentials | null {
  const { authorization } = headers;
  if (authorization !== undefined) {
    const secret = BEARER.exec(authorization)?.[1];
    return secret === undefined ? null : { secret, isCookie: false };
  }
  const secret = readSessionCookie(headers.cookie);
  return secret === null ? null : { secret, isCookie: true };
}

/**
 * The key of a request. Throws `UNAUTHENTICATED` when it shows none or one that isn't in force. A cookie counts only when the
 * request comes from our own page.
 */
export async function authenticate(
  prisma: PrismaClient,
  headers: IncomingHttpHeaders,
  now: Date,
): Promise<Viewer> {
  const credentials = credentialsOf(headers);
  if (credentials === null || (credentials.isCookie && !isSameOrigin(headers))) {
    throw unauthenticated('Send "Authorization: Bearer <key>" with a key of this server.');
  }
  const viewer = await verifyApiKey(prisma, credentials.secret, now);
  if (viewer) return viewer;
  throw unauthenticated('This key is unknown or was revoked.');
}

/** Browsers send `Origin` with what another page could cause; without one it isn't a browser, or a plain same-origin read. */
export function isSameOrigin({ origin, host }: IncomingHttpHeaders): boolean {
  if (origin === undefined) return true;
  return URL.canParse(origin) && new URL(origin).host === host;
}

export function unauthenticated(message: string): PlatformError {
  const how = 'bin/sharelock key create --role READER makes one.';
  return new PlatformError('UNAUTHENTICATED', `${message} ${how}`);
}
