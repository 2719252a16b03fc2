import { ClientError } from './client.ts';

/** A ClientError as it is; anything else is a mistake of this page, and is shown as one. */
export function toClientError(error: unknown): ClientError {
  if (error instanceof ClientError) return error;
  return new ClientError('PAGE_ERROR', 'Something in this page went wrong.', { cause: error });
}
