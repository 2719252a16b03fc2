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
  url: ({ id }, _args, { services }) =>
    services.signer.sign({ path: `/images/${encodeNodeId('Image', id)}` }),
  thumbnailUrl: ({ id }, { size }, { services }) =>
    services.signer.sign({
      path: `/thumbnails/${encodeNodeId('Image', id)}`,
      size: size ?? 'MEDIUM',
    }),
  embedding: ({ id }, _args, { loaders }) => loaders.liveEmbedding.load(id),
};
