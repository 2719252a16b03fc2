import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { PlatformError } from '../platform/errors.ts';
import type { PrismaClient } from './database.ts';
import type { ApiKey, ApiKeyScope, Role } from './generated/prisma/client.ts';
import { asApiKeyId, asCollectionId, type ApiKeyId, type CollectionId } from './ids.ts';

export type { Role };

export interface ApiKeyRecord {
  readonly id: ApiKeyId;
  readonly name: string;
  /** The visible beginning of the secret. */
  readonly prefix: string;
  readonly role: Role;
  /** The collections it may see; null: all. */
  readonly collections: readonly CollectionId[] | null;
  readonly createdAt: Date;
  readonly revokedAt: Date | null;
  /** Exact to a minute. */
  readonly lastUsedAt: Date | null;
}

/** A browser that signed in by a link. Nobody else's key may be called so. */
const SESSION_NAME = '(browser session)';
/** After this a browser signs in again. */
export const SESSION_SECONDS = 30 * 24 * 3600;

const NEW_KEY = z.object({
  name: z
    .string()
    .max(200)
    .refine((name) => name !== SESSION_NAME)
    .default(''),
  role: z.enum(['READER', 'CURATOR', 'ADMIN']),
  /** Null: all, also those that come later. */
  collections: z.array(z.uuid()).min(1).nullable(),
});

export interface CreatedApiKey {
  readonly key: ApiKeyRecord;
  /** Shown once: it is stored nowhere. */
  readonly secret: string;
}

/** `slk_` + 12 visible characters + `_` + 256 random bits. */
const SECRET = /^(slk_[0-9a-f]{12})_[A-Za-z0-9_-]{43}$/;

export async function createApiKey(
  prisma: PrismaClient,
  input: z.input<typeof NEW_KEY>,
  now: Date,
): Promise<CreatedApiKey> {
  const parsed = NEW_KEY.safeParse(input);
  if (!parsed.success) {
    throw new PlatformError(
      'BAD_USER_INPUT',
      `A key has a role (READER, CURATOR, ADMIN), collections (at least one, or all) and a name of at most 200 characters, not "${SESSION_NAME}".`,
    );
  }
  return insertKey(prisma, parsed.data, now);
}

/** A key for a browser, of all collections; it ends after `SESSION_SECONDS`. */
export function createSessionKey(
  prisma: PrismaClient,
  role: Role,
  now: Date,
): Promise<CreatedApiKey> {
  return insertKey(prisma, { name: SESSION_NAME, role, collections: null }, now);
}

export function isSessionKey({ name }: Pick<ApiKeyRecord, 'name'>): boolean {
  return name === SESSION_NAME;
}

async function insertKey(
  prisma: PrismaClient,
  { name, role, collections }: z.output<typeof NEW_KEY>,
  now: Date,
): Promise<CreatedApiKey> {
  const prefix = `slk_${randomBytes(6).toString('hex')}`;
  const secret = `${prefix}_${randomBytes(32).toString('base64url')}`;
  const scopes = (collections ?? []).map((collectionId) => ({ collectionId }));
  const row = await prisma.apiKey.create({
    data: {
      ...{ name, role, prefix, createdAt: now, allCollections: collections === null },
      secretSha256: sha256(secret),
      scopes: { create: scopes },
    },
    include: { scopes: true },
  });
  return { key: toRecord(row), secret };
}

/** Compared with when there is no such key, so that the answer takes as long. */
const NO_KEY = randomBytes(32);

/** The key of this secret; null when there is none or it was revoked. The comparison takes the same time for all. */
export async function verifyApiKey(
  prisma: PrismaClient,
  secret: string,
  now: Date,
): Promise<ApiKeyRecord | null> {
  const prefix = SECRET.exec(secret)?.[1];
  if (prefix === undefined) return null;
  const row = await prisma.apiKey.findUnique({ where: { prefix }, include: { scopes: true } });
  const isRight = timingSafeEqual(sha256(secret), row?.secretSha256 ?? NO_KEY);
  if (row === null || !isRight || row.revokedAt !== null || isOver(row, now)) return null;
  await touch(prisma, row, now);
  return toRecord(row);
}

function isOver({ name, createdAt }: ApiKey, now: Date): boolean {
  return name === SESSION_NAME && now.getTime() - createdAt.getTime() > SESSION_SECONDS * 1000;
}

const TOUCH_EVERY_MS = 60_000;

/** Not at every request: a write a minute is enough to know which keys are in use. */
async function touch(prisma: PrismaClient, { id, lastUsedAt }: ApiKey, now: Date): Promise<void> {
  if (lastUsedAt !== null && now.getTime() - lastUsedAt.getTime() < TOUCH_EVERY_MS) return;
  await prisma.apiKey.updateMany({ where: { id }, data: { lastUsedAt: now } });
}

/** Revokes by id or prefix. Revoking again changes nothing. */
export async function revokeApiKey(
  prisma: PrismaClient,
  idOrPrefix: string,
  now: Date,
): Promise<ApiKeyRecord> {
  const where = idOrPrefix.startsWith('slk_') ? { prefix: idOrPrefix } : { id: idOrPrefix };
  if ('id' in where && !z.uuid().safeParse(idOrPrefix).success) throw noSuchKey(idOrPrefix);
  await prisma.apiKey.updateMany({
    where: { ...where, revokedAt: null },
    data: { revokedAt: now },
  });
  const row = await prisma.apiKey.findFirst({ where, include: { scopes: true } });
  if (row === null) throw noSuchKey(idOrPrefix);
  return toRecord(row);
}

function noSuchKey(idOrPrefix: string): PlatformError {
  return new PlatformError('NOT_FOUND', `There is no API key "${idOrPrefix.slice(0, 40)}".`);
}

export async function findApiKey(prisma: PrismaClient, id: string): Promise<ApiKeyRecord | null> {
  const row = await prisma.apiKey.findUnique({ where: { id }, include: { scopes: true } });
  return row && toRecord(row);
}

/** For what lasts longer than a request. */
export async function isKeyInForce(prisma: PrismaClient, id: ApiKeyId): Promise<boolean> {
  return (await prisma.apiKey.count({ where: { id, revokedAt: null } })) === 1;
}

/** Newest first, revoked ones too. */
export async function listApiKeys(prisma: PrismaClient): Promise<readonly ApiKeyRecord[]> {
  const rows = await prisma.apiKey.findMany({
    include: { scopes: true },
    orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
  });
  return rows.map(toRecord);
}

/** Plain SHA-256 is enough for 256 random bits: there is nothing to guess. */
export function sha256(secret: string): Buffer<ArrayBuffer> {
  return Buffer.from(createHash('sha256').update(secret).digest());
}

function toRecord(row: ApiKey & { scopes: ApiKeyScope[] }): ApiKeyRecord {
  const { name, prefix, role, createdAt, revokedAt, lastUsedAt } = row;
  const collections = row.allCollections
    ? null
    : row.scopes.map(({ collectionId }) => asCollectionId(collectionId));
  return {
    ...{ name, prefix, role, createdAt, revokedAt, lastUsedAt },
    id: asApiKeyId(row.id),
    collections,
  };
}
