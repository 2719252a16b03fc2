import { basename } from 'node:path';
import { resolveSourceFolder } from '../../../indexer/ingest/sources.ts';
import { addSource as add } from '../../../store/sources.ts';
import { getVisibleCollection } from '../../auth/visible.ts';
import { audit } from '../../audit.ts';
import type { MutationResolvers } from '../../generated/resolvers.ts';
import { scheduleOf } from '../source-schedule.ts';
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
    const schedule = await scheduleOf(input);
    const source = await inField(
      'name',
      add(database.prisma, { collectionId: collection.id, name, folder, ...schedule }),
    );
    const detail = { name, folder, ...schedule };
    await audit(context, { action: 'addSource', subject: collection.name, detail });
    return { source, collection };
  });
