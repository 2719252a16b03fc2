import { expect, test } from '@jest/globals';
import { createApiKey, listApiKeys, revokeApiKey, verifyApiKey } from '../../store/api-keys.ts';
import { listAudit, recordAudit } from '../../store/audit.ts';
import { deleteCollection } from '../../store/collections.ts';
import {
  createSignInToken,
  deleteExpiredSignInTokens,
  redeemSignInToken,
} from '../../store/sign-in-tokens.ts';
import { useDatabase } from '../support/database.ts';
import { withCode } from '../support/errors.ts';
import { newIndex, NOON, secondsLater } from '../support/rows.ts';

const database = await useDatabase();
const { pool, prisma } = database;
const ALL = { role: 'READER', collections: null } as const;

test('a key opens with its secret, which is nowhere stored', async () => {
  const { key, secret } = await createApiKey(prisma, { ...ALL, name: 'laptop' }, NOON);

  const verified = await verifyApiKey(prisma, secret, NOON);

  expect(verified).toMatchObject({ id: key.id, role: 'READER', collections: null, name: 'laptop' });
  expect(secret.startsWith(`${key.prefix}_`)).toBe(true);
  const { rows } = await pool.query<{ row: string }>('SELECT api_keys::text AS row FROM api_keys');
  const hidden = secret.slice(key.prefix.length + 1);
  expect(hidden).toHaveLength(43); // 256 bits in base64url
  expect(rows.some(({ row }) => row.includes(hidden))).toBe(false);
});

test('another secret of the same prefix, a cut one and nonsense are refused', async () => {
  const { key, secret } = await createApiKey(prisma, ALL, NOON);
  const other = `${key.prefix}_${'A'.repeat(43)}`;

  for (const wrong of [other, secret.slice(0, -1), `${secret}A`, '', 'slk_', '\0', key.prefix]) {
    expect(await verifyApiKey(prisma, wrong, NOON)).toBe(null);
  }
});

test('a revoked key opens nothing more; revoking again keeps the time', async () => {
  const { key, secret } = await createApiKey(prisma, ALL, NOON);

  await revokeApiKey(prisma, key.prefix, secondsLater(1));
  const revoked = await revokeApiKey(prisma, key.id, secondsLater(2));

  expect(revoked.revokedAt).toEqual(secondsLater(1));
  expect(await verifyApiKey(prisma, secret, secondsLater(3))).toBe(null);
  await expect(revokeApiKey(prisma, 'slk_none', NOON)).rejects.toMatchObject(withCode('NOT_FOUND'));
  await expect(revokeApiKey(prisma, 'x', NOON)).rejects.toMatchObject(withCode('NOT_FOUND'));
});

test('a key is for its collections, and for none once they are deleted', async () => {
  const { collectionId } = await newIndex(database);
  const input = { role: 'CURATOR', collections: [collectionId] } as const;
  const { secret } = await createApiKey(prisma, { ...input, collections: [collectionId] }, NOON);
  const scope = async (): Promise<unknown> =>
    (await verifyApiKey(prisma, secret, NOON))?.collections;
  expect(await scope()).toEqual([collectionId]);

  await deleteCollection(prisma, collectionId);

  expect(await scope()).toEqual([]);
});

test('a key without role, or for no collection, is not made', async () => {
  const wrong = [
    { role: 'OWNER' as 'ADMIN', collections: null },
    { ...ALL, collections: [] },
  ];

  for (const input of wrong) {
    await expect(createApiKey(prisma, input, NOON)).rejects.toMatchObject(
      withCode('BAD_USER_INPUT'),
    );
  }
});

test('the last use is exact to a minute', async () => {
  const { key, secret } = await createApiKey(prisma, ALL, NOON);
  const lastUse = async (): Promise<Date | null | undefined> =>
    (await listApiKeys(prisma)).find(({ id }) => id === key.id)?.lastUsedAt;

  for (const seconds of [0, 59]) await verifyApiKey(prisma, secret, secondsLater(seconds));
  expect(await lastUse()).toEqual(NOON);
  await verifyApiKey(prisma, secret, secondsLater(60));

  expect(await lastUse()).toEqual(secondsLater(60));
});

test('a sign-in link works once, in time, and for one of two at once', async () => {
  const make = (): Promise<string> =>
    createSignInToken(prisma, { role: 'ADMIN', expiresAt: secondsLater(60), now: NOON });
  const [token, late] = [await make(), await make()];

  const answers = await Promise.all([1, 2, 3].map(() => redeemSignInToken(prisma, token, NOON)));

  expect(answers.sort()).toEqual(['ADMIN', null, null]);
  expect(await redeemSignInToken(prisma, late, secondsLater(60))).toBe(null);
  await deleteExpiredSignInTokens(prisma, secondsLater(60));
  expect(await prisma.signInToken.count()).toBe(0);
});

test('the audit log tells who did what, newest first', async () => {
  const entry = { actor: 'slk_1', action: 'createCollection', subject: 'a', detail: {}, now: NOON };
  for (const subject of ['a', 'b', 'c']) await recordAudit(pool, { ...entry, subject });

  const first = await listAudit(pool, { before: null, limit: 2 });
  const second = await listAudit(pool, { before: first.at(-1)?.id ?? null, limit: 2 });

  const subjects = [...first, ...second].map(({ subject }) => subject);
  expect(subjects).toEqual(['c', 'b', 'a']);
});
