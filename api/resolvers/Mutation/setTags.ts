import { setTags as set } from '../../../indexer/tagging/set-tags.ts';
import { PlatformError } from '../../../platform/errors.ts';
import type { ImageRecord } from '../../../store/images.ts';
import { KEYWORDS } from '../../../store/vocabularies.ts';
import { audit } from '../../audit.ts';
import { findVisibleImage } from '../../auth/visible.ts';
import type { Context } from '../../context.ts';
import type { MutationResolvers, SetTagsInput } from '../../generated/resolvers.ts';
import { toTagVerdict } from '../../tag-verdicts.ts';
import { inField, toUserError } from '../user-errors.ts';

const MOST_IMAGES = 1000;

export const setTags: NonNullable<MutationResolvers['setTags']> = async (
  _parent,
  { input },
  context,
) => {
  try {
    const images = await inField('imageIds', getImages(context, input.imageIds));
    const change = { ...changeOf(input), decidedBy: context.viewer.prefix };
    const { database, now } = context.services;
    const imageIds = images.map(({ id }) => id);
    const undo = await set(database.pool, { ...change, imageIds, now: now() });
    context.loaders.tags.clearAll();
    await auditAll(context, images, change);
    return { images: [...images], undo: undo.map(toTagVerdict), userErrors: [] };
  } catch (error) {
    return { images: [], undo: [], userErrors: [toUserError(error)] };
  }
};

function changeOf({ vocabulary, add, remove }: SetTagsInput) {
  return { vocabulary: vocabulary ?? KEYWORDS, add: add ?? [], remove: remove ?? [] };
}

/** Each once. */
async function getImages(
  context: Context,
  ids: readonly string[],
): Promise<readonly ImageRecord[]> {
  const distinct = [...new Set(ids)];
  if (distinct.length < 1 || distinct.length > MOST_IMAGES) {
    const message = `"imageIds" takes 1 to ${MOST_IMAGES} images, not ${distinct.length}.`;
    throw new PlatformError('BAD_USER_INPUT', message);
  }
  const images = await Promise.all(distinct.map((id) => findVisibleImage(context, id)));
  const missing = distinct.filter((_, i) => images[i] === null);
  if (missing.length === 0) return images.filter((image) => image !== null);
  const named = missing.slice(0, 5).map((id) => `"${id.slice(0, 100)}"`);
  const story =
    missing.length === 1 ? 'there is no image' : `${missing.length} images aren't there, as`;
  const message = `Nothing was changed: ${story} ${named.join(', ')}.`;
  throw new PlatformError('NOT_FOUND', message);
}

/** An entry a collection. */
async function auditAll(
  context: Context,
  images: readonly ImageRecord[],
  { vocabulary, add, remove }: ReturnType<typeof changeOf>,
): Promise<void> {
  for (const subject of new Set(images.map(({ collectionId }) => collectionId))) {
    const changed = images.filter(({ collectionId }) => collectionId === subject);
    const detail = { vocabulary, images: changed.map(({ id }) => id.toString()), add, remove };
    await audit(context, { action: 'setTags', subject, detail });
  }
}
