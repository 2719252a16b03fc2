import { HeaderMap } from '@apollo/server';
import type { GraphQLError } from 'graphql';
import { PlatformError, type ErrorCode } from '../platform/errors.ts';
import { toGraphQLError } from './format-error.ts';
import { RateLimitedError } from './limits/cost-limiter.ts';

/** Of requests that are refused as a whole; those without an entry are 400. Errors of single fields come with 200. */
const STATUSES: ReadonlyMap<ErrorCode, number> = new Map([
  ['UNAUTHENTICATED', 401],
  ['FORBIDDEN', 403],
  ['RATE_LIMITED', 429],
  ['ENCODER_UNAVAILABLE', 503],
  ['INDEX_UNAVAILABLE', 503],
]);

/**
 * For what a plugin or the making of a context throws: Apollo would answer 500 to the caller's mistakes too. What isn't
 * a `PlatformError` stays 500.
 */
export function withHttpStatus(error: unknown): GraphQLError {
  if (!(error instanceof PlatformError)) return toGraphQLError(error);
  const headers = new HeaderMap();
  if (error instanceof RateLimitedError) {
    headers.set('retry-after', String(error.retryAfterSeconds));
  }
  if (error.code === 'UNAUTHENTICATED') headers.set('www-authenticate', 'Bearer');
  return toGraphQLError(error, { http: { status: STATUSES.get(error.code) ?? 400, headers } });
}
