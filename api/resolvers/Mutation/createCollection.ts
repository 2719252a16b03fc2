import { createSearchableCollection } from '../../../indexer/collections.ts';
import type { MutationResolvers } from '../../generated/resolvers.ts';
import { audit } from '../../audit.ts';
import { checkText } from '../../check-text.ts';
import { inField, payload } from '../user-errors.ts';

/** Characters. */
const LONGEST_DESCRIPTION = 2000;

export const createCollection: NonNullable<MutationResolvers['createCollection']> = (
  _parent,
  { input },
  context,
) =>
  payload({ collection: null }, async () => {
    const { database, bundle } = context.services;
    const description = await inField('description', () =>
      checkText(input.description, LONGEST_DESCRIPTION),
    );
    const request = { name: input.name, description: description ?? '' };
    const creating = createSearchableCollection(database, bundle, request);
    const collection = await inField('name', creating);
    await audit(context, { action: 'createCollection', subject: collection.name });
    return { collection };
  });
