import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { PlatformError, type ErrorCode } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import { RateLimitedError } from './limits/cost-limiter.ts';

export interface FormatErrorOptions {
  readonly logger: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** Leaves out graphql-js's "Did you mean", which tells names of the schema while introspection is off. */
  readonly isProduction: boolean;
}

/** What a bug looks like from outside. */
export const INTERNAL_SERVER_ERROR = 'INTERNAL_SERVER_ERROR';

/** The operator's mistakes: their messages name files and settings, which are no caller's business. */
const OPERATOR_CODES: ReadonlySet<ErrorCode> = new Set(['INVALID_BUNDLE', 'INVALID_CONFIG']);

/** Extensions of others that clients may see. Stack traces aren't among them. */
const OPEN_EXTENSIONS = ['code', 'retryable', 'retryAfterSeconds'] as const;

/** The only place where an error becomes what a client sees: Apollo's `formatError`, with options. */
export function formatError(
  formatted: GraphQLFormattedError,
  error: unknown,
  { logger, isProduction }: FormatErrorOptions,
): GraphQLFormattedError {
  const cause = causeOf(error);
  if (cause instanceof PlatformError && !OPERATOR_CODES.has(cause.code)) {
    logPlatformError(logger, cause);
    return { ...placeOf(formatted), message: cause.message, extensions: extensionsOf(cause) };
  }
  const code = codeOfGraphqlError(formatted, cause);
  if (code === null) {
    logger.error({ err: cause, path: formatted.path }, 'A request failed by a bug or fault');
    return {
      ...placeOf(formatted),
      message: 'Internal server error',
      extensions: { code: INTERNAL_SERVER_ERROR, retryable: false },
    };
  }
  const message = isProduction ? withoutHint(formatted.message) : formatted.message;
  return { ...placeOf(formatted), message, extensions: { ...openExtensions(formatted), code } };
}

/** As GraphQL errors for a transport without Apollo, such as graphql-ws. */
export function toGraphQLErrors(
  errors: readonly unknown[],
  options: FormatErrorOptions,
): GraphQLError[] {
  return errors.map((error) => {
    const original = error instanceof GraphQLError ? error : toGraphQLError(error);
    const { message, extensions } = formatError(original.toJSON(), original, options);
    return restated(original, message, extensions);
  });
}

/** The same error at the same place with other words. */
export function restated(
  error: GraphQLError,
  message: string,
  extensions: Readonly<Record<string, unknown>> = {},
): GraphQLError {
  const { nodes = null, source = null, positions = null, path = null } = error;
  return new GraphQLError(message, { nodes, source, positions, path, extensions });
}

/** Wraps an error so that `formatError` finds it again. */
export function toGraphQLError(
  error: unknown,
  extensions: Readonly<Record<string, unknown>> = {},
): GraphQLError {
  const originalError = error instanceof Error ? error : new Error(String(error));
  return new GraphQLError(originalError.message, { originalError, extensions });
}

/** What was thrown, without the layers that GraphQL puts around it. */
function causeOf(error: unknown): unknown {
  let cause = error;
  while (cause instanceof GraphQLError && cause.originalError !== undefined) {
    cause = cause.originalError;
  }
  return cause;
}

function extensionsOf(error: PlatformError): Record<string, unknown> {
  const wait =
    error instanceof RateLimitedError ? { retryAfterSeconds: error.retryAfterSeconds } : {};
  return { code: error.code, retryable: error.retryable, ...wait };
}

function logPlatformError(logger: FormatErrorOptions['logger'], error: PlatformError): void {
  const { code, message } = error;
  if (error.retryable) logger.warn({ code, cause: error.cause }, message);
  else logger.info({ code }, message);
}

/** The code of an error that Apollo or graphql-js made for the caller; null: it is our fault. */
function codeOfGraphqlError(formatted: GraphQLFormattedError, cause: unknown): string | null {
  if (!(cause instanceof GraphQLError)) return null;
  const code = formatted.extensions?.['code'];
  if (typeof code === 'string' && code !== INTERNAL_SERVER_ERROR) return code;
  // graphql-js gives none to what it finds wrong with an argument or a variable while it executes.
  return /^(Argument|Variable) "/.test(cause.message) ? 'BAD_USER_INPUT' : null;
}

function placeOf({ locations, path }: GraphQLFormattedError) {
  return {
    ...(locations === undefined ? {} : { locations }),
    ...(path === undefined ? {} : { path }),
  };
}

function openExtensions({ extensions = {} }: GraphQLFormattedError): Record<string, unknown> {
  return Object.fromEntries(
    OPEN_EXTENSIONS.filter((name) => name in extensions).map((name) => [name, extensions[name]]),
  );
}

function withoutHint(message: string): string {
  return message.replace(/ ?Did you mean [^?]*\?/g, '').trim();
}
