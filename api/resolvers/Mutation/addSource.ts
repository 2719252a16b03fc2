import { basename } from 'node:path';
import { resolveSourceFolder } from '../../../indexer/ingest/sources.ts';
import { addSource as add } from '../../../store/sources.ts';
import { getVisibleCollection } from '../../auth/visible.ts';
import { audit } from '../../audit.ts';
import type { MutationResolvers } from '../../generated/resolvers.ts';
import { inField, payload } from '../user-errors.ts';

export const addSource: NonNullable<MutationResolvers['addSource']> = (
  _parent,
  { input },
  context,
) =>
  payload({ source: null, collection: null }, async () => {
    const { database, mediaRoots } = context.services;
    const collection = await inField('collection', getVisibleCollection(context, input.collection));
    const folder = await inField('folder', resolveSourceFolder(input.folder, mediaRoots));
    const name = input.name ?? basename(folder);
    const source = await inField(
      'name',
      add(database.prisma, { collectionId: collection.id, name, folder }),
    );
    await audit(context, {
      ...{ action: 'addSource', subject: collection.name, detail: { name, folder } },
    });
    return { source, collection };
  });
