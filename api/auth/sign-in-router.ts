import { json, Router, type Request, type Response } from 'express';
import { z } from 'zod';
import type { PrismaClient } from '../../store/database.ts';
import {
  createSessionKey,
  isSessionKey,
  revokeApiKey,
  verifyApiKey,
} from '../../store/api-keys.ts';
import { redeemSignInToken } from '../../store/sign-in-tokens.ts';
import { isSameOrigin } from './authenticate.ts';
import { expiredSessionCookie, readSessionCookie, sessionCookie } from './session-cookie.ts';

const BODY = z.union([
  z.strictObject({ token: z.string().min(1).max(200) }),
  z.strictObject({ apiKey: z.string().min(1).max(200) }),
]);

export interface SignInOptions {
  readonly prisma: PrismaClient;
  readonly now: () => Date;
}

/**
 * `POST /sign-in` with `{"token"}` (of a one-time link) or `{"apiKey"}` gives this browser a cookie; `POST /sign-out` takes it.
 * A link makes a key of its own, "(browser session)", which `key list` shows and `key revoke` ends.
 */
export function createSignInRouter({ prisma, now }: SignInOptions): Router {
  const router = Router();
  router.use(['/sign-in', '/sign-out'], (request, response, next) => {
    if (request.method !== 'POST') {
      next();
      return;
    }
    if (isSameOrigin(request.headers)) next();
    else refuse(response, 403, 'FORBIDDEN', 'Sign in from the page of this server.');
  });
  router.post('/sign-in', json({ limit: '4kb', strict: true }), async (request, response) => {
    const body = BODY.safeParse(request.body);
    if (!body.success) {
      refuse(response, 400, 'BAD_USER_INPUT', 'Send {"token": "…"} or {"apiKey": "…"} as JSON.');
      return;
    }
    const secret = await secretFor(prisma, body.data, now());
    if (secret === null) {
      const what = 'The link was used or is too old, or the key is not in force.';
      refuse(response, 401, 'UNAUTHENTICATED', `${what} bin/sharelock sign-in prints a new link.`);
      return;
    }
    response.setHeader('set-cookie', sessionCookie(secret, request.secure));
    response.status(204).end();
  });
  router.post('/sign-out', async (request, response) => {
    await endSession(prisma, request, now());
    response.setHeader('set-cookie', expiredSessionCookie(request.secure));
    response.status(204).end();
  });
  return router;
}

async function secretFor(
  prisma: PrismaClient,
  given: z.infer<typeof BODY>,
  now: Date,
): Promise<string | null> {
  if ('apiKey' in given) {
    return (await verifyApiKey(prisma, given.apiKey, now)) === null ? null : given.apiKey;
  }
  const role = await redeemSignInToken(prisma, given.token, now);
  if (role === null) return null;
  return (await createSessionKey(prisma, role, now)).secret;
}

/** A key that was made for this browser ends with its session; one that was pasted is its owner's. */
async function endSession(prisma: PrismaClient, request: Request, now: Date): Promise<void> {
  const secret = readSessionCookie(request.headers.cookie);
  const key = secret === null ? null : await verifyApiKey(prisma, secret, now);
  if (key && isSessionKey(key)) await revokeApiKey(prisma, key.id, now);
}

function refuse(response: Response, status: number, code: string, message: string): void {
  response.status(status).json({ code, message });
}
