import { createSearchableCollection } from '../../../indexer/collections.ts';
import type { MutationResolvers } from '../../generated/resolvers.ts';
import { audit } from '../../audit.ts';
import { payload } from '../user-errors.ts';

export const createCollection: NonNullable<MutationResolvers['createCollection']> = (
  _parent,
  { input },
  context,
) =>
  payload({ collection: null }, async () => {
    const { database, bundle } = context.services;
    const { name, description } = input;
    const collection = await createSearchableCollection(database, bundle, {
      ...{ name, description: description ?? '' },
    });
    await audit(context, { action: 'createCollection', subject: collection.name });
    return { collection };
  });
