import type { ErrorRequestHandler } from 'express';
import { messageOf } from '../../platform/errors.ts';
import type { Logger } from '../../platform/logger.ts';

/** What no route answered for; use it last. Express itself would show the stack trace. */
export function createLastResort(logger: Pick<Logger, 'error'>): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    if (response.headersSent) {
      next(error); // ends the connection
      return;
    }
    const status = statusOf(error);
    if (status >= 500) logger.error({ err: error, path: request.path }, 'A request failed.');
    const body =
      status >= 500
        ? { code: 'INTERNAL_SERVER_ERROR', message: 'Internal server error' }
        : { code: status === 413 ? 'BODY_TOO_LARGE' : 'BAD_REQUEST', message: messageOf(error) };
    response.status(status).json(body);
  };
}

/** Express's own errors carry a status. Those of callers are told, all else is a fault of ours. */
export function statusOf(error: unknown): number {
  const status =
    typeof error === 'object' && error !== null && 'status' in error ? error.status : null;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : 500;
}
