import { PlatformError, systemErrorCode } from '../../platform/errors.ts';

/** Why a file is not in the collection. Public and stable; docs/operations.md says what to do about each. */
export const REASON_CODES = [
  'EMPTY_FILE',
  'NOT_AN_IMAGE',
  'UNSUPPORTED_FORMAT',
  'TRUNCATED',
  'CORRUPT',
  'TOO_MANY_PIXELS',
  'TOO_LARGE',
  'UNREADABLE',
  'NOT_A_FILE',
  'SYMLINK',
  'NAME_NOT_UTF8',
  'NAME_TOO_LONG',
  'FOLDER_UNREADABLE',
  'SOURCE_UNREADABLE',
  'SOURCE_EMPTY',
  'TIMEOUT',
  'DECODER_DIED',
  'VANISHED',
  'CHANGED_WHILE_READ',
  'SETTLING',
] as const;

export type ReasonCode = (typeof REASON_CODES)[number];

/** Decided by the bytes alone: the same file isn't tried again before it changes. */
const LASTING: ReadonlySet<string> = new Set<ReasonCode>([
  'EMPTY_FILE',
  'NOT_AN_IMAGE',
  'UNSUPPORTED_FORMAT',
  'TRUNCATED',
  'CORRUPT',
  'TOO_MANY_PIXELS',
  'TOO_LARGE',
]);

export function isLasting(reasonCode: string): boolean {
  return LASTING.has(reasonCode);
}

/**
 * `What can't be read (EACCES).` The system's own message names the server's folders, which readers of a job's items
 * needn't know.
 */
export function cannotRead(what: string, error: unknown): string {
  return `${what} can't be read (${systemErrorCode(error) ?? 'no code'}).`;
}

/** A picture that can't be read, with the reason's code. To callers of the API it is `IMAGE_UNREADABLE`. */
export class UnreadableImage extends PlatformError {
  readonly reason: ReasonCode;

  constructor(reason: ReasonCode, message: string, options?: ErrorOptions) {
    super('IMAGE_UNREADABLE', message, options);
    this.reason = reason;
  }
}
