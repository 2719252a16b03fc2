import type { ImageNames } from '../indexer/tagging/written-vocabulary.ts';
import { findVisibleImage } from './auth/visible.ts';
import type { Context } from './context.ts';
import { encodeNodeId } from './node-ids.ts';

/** Images by their global ids, those that the key may see. */
export function visibleImages(context: Context): ImageNames {
  return {
    find: async (name) => (await findVisibleImage(context, name))?.id ?? null,
    nameOf: async (id) => {
      const name = encodeNodeId('Image', id);
      return (await findVisibleImage(context, name)) === null ? null : name;
    },
  };
}
