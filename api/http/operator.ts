import type { Request } from 'express';
import { PlatformError } from '../../platform/errors.ts';
import type { PrismaClient } from '../../store/database.ts';
import { authenticate } from '../auth/authenticate.ts';
import { hasRole } from '../auth/viewer.ts';

const LOOPBACK: ReadonlySet<string> = new Set(['127.0.0.1', '::1', '::ffff:127.0.0.1']);

/**
 * Whether a request comes from this machine itself, without a proxy between, or with an ADMIN's key. A page in a browser here
 * doesn't count as the machine: browsers send `Origin` or `Sec-Fetch-Site`.
 */
export async function isOperator(prisma: PrismaClient, request: Request): Promise<boolean> {
  const { headers, socket } = request;
  const isDirect =
    headers['x-forwarded-for'] === undefined &&
    headers.forwarded === undefined &&
    headers['sec-fetch-site'] === undefined &&
    headers.origin === undefined;
  if (isDirect && LOOPBACK.has(socket.remoteAddress ?? '')) return true;
  try {
    return hasRole(await authenticate(prisma, headers, new Date()), 'ADMIN');
  } catch (error) {
    if (error instanceof PlatformError) return false;
    throw error;
  }
}
