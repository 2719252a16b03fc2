import { randomBytes } from 'node:crypto';
import { sha256 } from './api-keys.ts';
import type { PrismaClient } from './database.ts';
import type { Role } from './generated/prisma/client.ts';

/** Makes the secret part of a sign-in link: 256 random bits that work once until `expiresAt`. */
export async function createSignInToken(
  prisma: PrismaClient,
  { role, expiresAt, now }: { role: Role; expiresAt: Date; now: Date },
): Promise<string> {
  const token = randomBytes(32).toString('base64url');
  await prisma.signInToken.create({
    data: { sha256: sha256(token), role, expiresAt, createdAt: now },
  });
  return token;
}

/** Uses a link up and gives its role; null when it never was, was used before or is too old. Of two at once one wins. */
export async function redeemSignInToken(
  prisma: PrismaClient,
  token: string,
  now: Date,
): Promise<Role | null> {
  const rows = await prisma.signInToken.updateManyAndReturn({
    where: { sha256: sha256(token), usedAt: null, expiresAt: { gt: now } },
    data: { usedAt: now },
  });
  return rows[0]?.role ?? null;
}

export async function deleteExpiredSignInTokens(prisma: PrismaClient, now: Date): Promise<void> {
  await prisma.signInToken.deleteMany({ where: { expiresAt: { lte: now } } });
}
