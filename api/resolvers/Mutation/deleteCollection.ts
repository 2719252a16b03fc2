import { deleteCollection as remove } from '../../../store/collections.ts';
import { getVisibleCollection } from '../../auth/visible.ts';
import { audit } from '../../audit.ts';
import type { MutationResolvers } from '../../generated/resolvers.ts';
import { encodeNodeId } from '../../node-ids.ts';
import { inField, payload } from '../user-errors.ts';

export const deleteCollection: NonNullable<MutationResolvers['deleteCollection']> = (
  _parent,
  { input },
  context,
) =>
  payload({ deletedCollectionId: null }, async () => {
    const found = getVisibleCollection(context, input.collection);
    const { id, name } = await inField('collection', found);
    await audit(context, { action: 'deleteCollection', subject: name, detail: { id } });
    await remove(context.services.database.prisma, id);
    return { deletedCollectionId: encodeNodeId('Collection', id) };
  });
