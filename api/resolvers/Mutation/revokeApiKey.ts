import { revokeApiKey as revoke } from '../../../store/api-keys.ts';
import { audit } from '../../audit.ts';
import type { MutationResolvers } from '../../generated/resolvers.ts';
import { requireIdOf } from '../../node-ids.ts';
import { inField, payload } from '../user-errors.ts';

export const revokeApiKey: NonNullable<MutationResolvers['revokeApiKey']> = (
  _parent,
  { input },
  context,
) =>
  payload({ apiKey: null }, async () => {
    const { database, now } = context.services;
    const isPrefix = input.id.startsWith('slk_');
    const revoking = async () =>
      revoke(database.prisma, isPrefix ? input.id : requireIdOf('ApiKey', input.id), now());
    const apiKey = await inField('id', revoking());
    await audit(context, { action: 'revokeApiKey', subject: apiKey.prefix });
    return { apiKey };
  });
