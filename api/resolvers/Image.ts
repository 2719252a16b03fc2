import type { ImageRecord } from '../../store/images.ts';
import type { ImageResolvers } from '../generated/resolvers.ts';
import { encodeNodeId } from '../node-ids.ts';

export const Image: ImageResolvers = {
  id: ({ id }) => encodeNodeId('Image', id),
  collection: async ({ collectionId }, _args, { loaders }) => {
    const collection = await loaders.collection.load(collectionId);
    if (collection) return collection;
    throw new Error('An image outlived its collection.'); // deleted while this was answered
  },
  sha256: ({ sha256 }) => Buffer.from(sha256).toString('hex'),
  url: (image, _args, { services }) =>
    services.signer.sign({ path: pathOf('images', image), version: versionOf(image) }),
  thumbnailUrl: (image, { size }, { services }) =>
    services.signer.sign({
      ...{ path: pathOf('thumbnails', image), version: versionOf(image) },
      size,
    }),
  embedding: ({ id }, _args, { loaders }) => loaders.liveEmbedding.load(id),
  tags: async ({ id }, { vocabulary }, { loaders }) => {
    const tags = (await loaders.tags.load(id)) ?? [];
    return tags.filter((tag) => typeof vocabulary !== 'string' || tag.vocabulary === vocabulary);
  },
};

function pathOf(route: string, { id }: ImageRecord): string {
  return `/${route}/${encodeNodeId('Image', id)}`;
}

/** An image keeps its id when its file is replaced; its link changes, so that nobody sees the old one out of a cache. */
function versionOf({ sha256 }: ImageRecord): string {
  return Buffer.from(sha256.subarray(0, 4)).toString('hex');
}
