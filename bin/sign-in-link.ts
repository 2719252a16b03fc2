import { createSignInToken, deleteExpiredSignInTokens } from '../store/sign-in-tokens.ts';
import type { PrismaClient } from '../store/database.ts';

const GOOD_FOR_MS = 60 * 60_000;

/** A link that signs one browser in as ADMIN, once, within the hour. The token stands behind "#": it is never sent in a URL. */
export async function createSignInLink(prisma: PrismaClient, url: string): Promise<string> {
  const now = new Date();
  await deleteExpiredSignInTokens(prisma, now);
  const expiresAt = new Date(now.getTime() + GOOD_FOR_MS);
  const token = await createSignInToken(prisma, { role: 'ADMIN', expiresAt, now });
  return `${url}/sign-in#token=${token}`;
}
