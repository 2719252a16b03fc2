import { DatabaseError } from 'pg';
import { z } from 'zod';
import { messageOf, systemErrorCode } from '../platform/errors.ts';
import { Prisma } from './generated/prisma/client.ts';

/** SQLSTATE: connection exceptions; the server starts, stops or was stopped. */
const AWAY_STATE = /^(08|57P0[123])/;
const AWAY_SYSTEM = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH']);
/** Not reachable, timed out, connection closed. */
const AWAY_PRISMA = new Set(['P1001', 'P1002', 'P1017']);
/** What `pg` says without a code. */
const AWAY_MESSAGE =
  /^(Connection terminated|timeout exceeded when trying to connect)|not queryable/;

const adapterError = z.object({
  driverAdapterError: z.object({ cause: z.object({ originalCode: z.string() }) }),
});

/** Whether a statement failed because the database, or the connection to it, went away: the same one may work later. */
export function isDatabaseAway(error: unknown): boolean {
  if (error instanceof DatabaseError) return AWAY_STATE.test(error.code ?? '');
  if (error instanceof Prisma.PrismaClientKnownRequestError) {
    const { data } = adapterError.safeParse(error.meta);
    const state = data?.driverAdapterError.cause.originalCode ?? '';
    return AWAY_PRISMA.has(error.code) || AWAY_STATE.test(state);
  }
  return AWAY_SYSTEM.has(systemErrorCode(error) ?? '') || AWAY_MESSAGE.test(messageOf(error));
}
