import { Prisma } from './generated/prisma/client.ts';

/** Whether a write was refused because a unique value is taken. */
export function isUniqueViolation(error: unknown): boolean {
  return hasCode(error, 'P2002');
}

/** Whether the row to change isn't there. */
export function isRowMissing(error: unknown): boolean {
  return hasCode(error, 'P2025');
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Prisma.PrismaClientKnownRequestError && error.code === code;
}
