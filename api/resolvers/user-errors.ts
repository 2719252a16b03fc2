import { PlatformError, type ErrorCode } from '../../platform/errors.ts';
import type { UserError, UserErrorCode } from '../generated/resolvers.ts';

/** How the caller's mistakes look as user errors; others stay errors of the whole operation. */
const USER_ERROR_CODES: Partial<Record<ErrorCode, UserErrorCode>> = {
  BAD_USER_INPUT: 'BAD_USER_INPUT',
  CONFLICT: 'CONFLICT',
  EMPTY_TEXT: 'BAD_USER_INPUT',
  FORBIDDEN: 'FORBIDDEN',
  IMAGE_UNREADABLE: 'BAD_USER_INPUT',
  MODEL_MISMATCH: 'CONFLICT',
  NOT_FOUND: 'NOT_FOUND',
};

/** A mistake in one field of a mutation's input. */
class FieldError extends PlatformError {
  readonly field: readonly string[];

  constructor(error: PlatformError, field: readonly string[]) {
    super(error.code, error.message, { cause: error });
    this.field = field;
  }
}

/** Says which field of the input a mistake is in. `work` may be a promise, or what gives a value or throws. */
export async function inField<T>(field: string, work: Promise<T> | (() => T)): Promise<T> {
  try {
    return await (typeof work === 'function' ? work() : work);
  } catch (error) {
    if (error instanceof PlatformError) throw new FieldError(error, ['input', field]);
    throw error;
  }
}

/** A mutation's payload: what `work` gives and no errors, or `empty` and what was wrong with the input. */
export async function payload<T extends object>(
  empty: { readonly [Name in keyof T]: null },
  work: () => Promise<T>,
): Promise<{ [Name in keyof T]: T[Name] | null } & { userErrors: UserError[] }> {
  try {
    return { ...(await work()), userErrors: [] };
  } catch (error) {
    return { ...empty, userErrors: [toUserError(error)] };
  }
}

/** Throws again what is no mistake of the caller's. */
export function toUserError(error: unknown): UserError {
  const code = error instanceof PlatformError ? USER_ERROR_CODES[error.code] : undefined;
  if (!(error instanceof PlatformError) || code === undefined) throw error;
  const field = error instanceof FieldError ? [...error.field] : null;
  return { code, message: error.message, field };
}
