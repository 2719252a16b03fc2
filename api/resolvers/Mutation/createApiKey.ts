import { createApiKey as create } from '../../../store/api-keys.ts';
import { getVisibleCollection } from '../../auth/visible.ts';
import { audit } from '../../audit.ts';
import type { MutationResolvers } from '../../generated/resolvers.ts';
import { inField, payload } from '../user-errors.ts';

export const createApiKey: NonNullable<MutationResolvers['createApiKey']> = (
  _parent,
  { input },
  context,
) =>
  payload({ apiKey: null, secret: null }, async () => {
    const { database, now } = context.services;
    const { role, name, collections: names } = input;
    const scope = names
      ? await inField(
          'collections',
          Promise.all(names.map((one) => getVisibleCollection(context, one))),
        )
      : null;
    const collections = scope?.map(({ id }) => id) ?? null;
    const request = { role, name: name ?? '', collections };
    const { key, secret } = await create(database.prisma, request, now());
    await audit(context, {
      ...{ action: 'createApiKey', subject: key.prefix, detail: { role, collections: names } },
    });
    return { apiKey: key, secret };
  });
