import { types } from 'node:util';

/** Every code a caller may see. Codes are public API: adding one is a feature, changing one breaks clients. */
export const ERROR_CODES = [
  'ABORTED', // the caller gave up; nothing is wrong
  'BAD_USER_INPUT', // an argument, option or file that can't be used as given
  'CONFLICT', // what is there already, or somebody else's change, stands against it
  'COST_EXCEEDED', // a request that asks for more than one request may
  'CURSOR_EXPIRED', // a cursor of a ranking or generation that is gone
  'EMPTY_TEXT', // a text without any visible character
  'FORBIDDEN', // a key whose role or scope doesn't allow it, or a link whose signature doesn't hold
  'GENERATION_NOT_READY', // a collection or generation that can't be searched or promoted yet
  'IMAGE_UNREADABLE', // bytes that no allowed image decoder can read
  'INVALID_BUNDLE', // a model bundle that is damaged, incomplete or of another version
  'INVALID_CONFIG', // settings that can't work together
  'INVALID_DATASET', // a captions.jsonl or folder of classes that can't be read
  'DIMENSION_MISMATCH', // a tensor of another width than the bundle promises
  'MODEL_MISMATCH', // a text model and a vision space that do not belong together
  'NON_FINITE_OUTPUT', // a model gave NaN, infinity or a vector without direction
  'NOT_FOUND', // a file, folder or object that isn't there
  'RATE_LIMITED', // a key that has used up what it may use for now
  'UNAUTHENTICATED', // no key, or one that isn't known or was revoked
  'ENCODER_UNAVAILABLE', // the encoder is closed or its worker died
  'INDEX_UNAVAILABLE', // the vector index is closed, lost its thread, or its engine is not installed
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

const RETRYABLE: ReadonlySet<ErrorCode> = new Set([
  'ENCODER_UNAVAILABLE',
  'INDEX_UNAVAILABLE',
  'RATE_LIMITED',
]);

/** An error somebody can act on. Its message says what would have worked. Any other error is a bug. */
export class PlatformError extends Error {
  override readonly name = 'PlatformError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  /** Whether the same call may succeed later without a change by the caller. */
  get retryable(): boolean {
    return RETRYABLE.has(this.code);
  }
}

/** Throws the platform's `ABORTED` when the signal has fired. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) {
    throw new PlatformError('ABORTED', 'Stopped on request.', { cause: signal.reason });
  }
}

/** The code of a Node system error (`ENOENT`), or null for anything else. */
export function systemErrorCode(error: unknown): string | null {
  if (!isError(error) || !('code' in error)) return null;
  return typeof error.code === 'string' ? error.code : null;
}

export function messageOf(error: unknown): string {
  return isError(error) ? error.message : String(error);
}

/** Errors of another realm (a test's, a worker's) count too; `instanceof` alone would miss them. */
function isError(error: unknown): error is Error {
  return error instanceof Error || types.isNativeError(error);
}
