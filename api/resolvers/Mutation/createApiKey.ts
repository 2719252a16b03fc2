import { createApiKey as create } from '../../../store/api-keys.ts';
import { PlatformError } from '../../../platform/errors.ts';
import type { CollectionRecord } from '../../../store/collections.ts';
import { getVisibleCollection } from '../../auth/visible.ts';
import { audit } from '../../audit.ts';
import { checkText } from '../../check-text.ts';
import type { Context } from '../../context.ts';
import type { MutationResolvers } from '../../generated/resolvers.ts';
import { inField, payload } from '../user-errors.ts';

/** Characters. */
const LONGEST_NAME = 200;

export const createApiKey: NonNullable<MutationResolvers['createApiKey']> = (
  _parent,
  { input },
  context,
) =>
  payload({ apiKey: null, secret: null }, async () => {
    const { database, now } = context.services;
    const { role, collections: names } = input;
    const name = await inField('name', () => checkText(input.name, LONGEST_NAME));
    const scope = names ? await inField('collections', findScope(context, names)) : null;
    const collections = scope?.map(({ id }) => id) ?? null;
    const request = { role, name: name ?? '', collections };
    const { key, secret } = await create(database.prisma, request, now());
    await audit(context, {
      ...{ action: 'createApiKey', subject: key.prefix, detail: { role, collections: names } },
    });
    return { apiKey: key, secret };
  });

async function findScope(context: Context, names: readonly string[]): Promise<CollectionRecord[]> {
  if (names.length === 0) {
    const message = 'Name at least one collection; leave "collections" out for all.';
    throw new PlatformError('BAD_USER_INPUT', message);
  }
  return Promise.all(names.map((name) => getVisibleCollection(context, name)));
}
