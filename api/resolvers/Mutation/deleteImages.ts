import type { CollectionId } from '../../../store/ids.ts';
import { deleteImages as remove, type ImageRecord } from '../../../store/images.ts';
import { inTransaction } from '../../../store/transaction.ts';
import { findVisibleImage } from '../../auth/visible.ts';
import { audit } from '../../audit.ts';
import type { Context } from '../../context.ts';
import type { MutationResolvers, UserError } from '../../generated/resolvers.ts';
import { encodeNodeId } from '../../node-ids.ts';

const MOST_IMAGES = 1000;

export const deleteImages: NonNullable<MutationResolvers['deleteImages']> = async (
  _parent,
  { input },
  context,
) => {
  const ids = [...new Set(input.ids)];
  if (ids.length > MOST_IMAGES) {
    const message = `"ids" takes at most ${MOST_IMAGES}.`;
    const tooMany: UserError = { code: 'BAD_USER_INPUT', message, field: ['input', 'ids'] };
    return { deletedImageIds: [], userErrors: [tooMany] };
  }
  const images = await Promise.all(ids.map((id) => findVisibleImage(context, id)));
  const found = images.filter((image) => image !== null);
  const deletedImageIds = await removeAll(context, found);
  const missing = ids.filter((_, i) => images[i] === null);
  return { deletedImageIds, userErrors: missing.map(notFound) };
};

/** A transaction a collection: each takes its collection's lock. */
async function removeAll(context: Context, images: readonly ImageRecord[]): Promise<string[]> {
  const { pool } = context.services.database;
  const deleted: string[] = [];
  for (const collectionId of new Set<CollectionId>(images.map((image) => image.collectionId))) {
    const ids = images
      .filter((image) => image.collectionId === collectionId)
      .map((image) => image.id);
    const gone = await inTransaction(pool, (client) => remove(client, collectionId, ids));
    await audit(context, {
      ...{ action: 'deleteImages', subject: collectionId, detail: { images: gone.map(String) } },
    });
    deleted.push(...gone.map((id) => encodeNodeId('Image', id)));
  }
  return deleted;
}

function notFound(id: string): UserError {
  const message = `There is no image "${id.slice(0, 100)}".`;
  return { code: 'NOT_FOUND', message, field: ['input', 'ids'] };
}
