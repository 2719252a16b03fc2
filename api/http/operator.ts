import type { Request } from 'express';
import { PlatformError } from '../../platform/errors.ts';
import type { PrismaClient } from '../../store/database.ts';
import { authenticate } from '../auth/authenticate.ts';
import { hasRole } from '../auth/viewer.ts';
import { isLocal } from './metrics.ts';

export interface OperatorOptions {
  readonly prisma: PrismaClient;
  /** Then nothing comes from this machine itself. */
  readonly trustsProxy: boolean;
}

/** Whether a request comes from this machine itself, without a proxy or a browser between, or with the key of an ADMIN of all collections. */
export async function isOperator(
  request: Request,
  { prisma, trustsProxy }: OperatorOptions,
): Promise<boolean> {
  const { headers } = request;
  // A page of anybody's in a browser here is not this machine's operator.
  const isBrowser = headers['sec-fetch-site'] !== undefined || headers.origin !== undefined;
  if (!trustsProxy && !isBrowser && isLocal(request)) return true;
  try {
    const viewer = await authenticate(prisma, headers, new Date());
    return hasRole(viewer, 'ADMIN') && viewer.collections === null;
  } catch (error) {
    if (error instanceof PlatformError) return false;
    throw error;
  }
}
