import { canSee } from '../auth/viewer.ts';
import type { LabelResolvers } from '../generated/resolvers.ts';
import { encodeNodeId } from '../node-ids.ts';

export const Label: LabelResolvers = {
  id: ({ id }) => encodeNodeId('Label', String(id)),
  vocabulary: async ({ vocabularyId }, _args, { loaders }) => {
    const vocabulary = await loaders.vocabulary.load(vocabularyId);
    if (vocabulary) return vocabulary;
    throw new Error('A label outlived its vocabulary.'); // deleted while this was answered
  },
  prompts: ({ prompts }) => [...prompts],
  negativePrompts: ({ negativePrompts }) => [...negativePrompts],
  examples: async ({ exampleImageIds }, _args, { loaders, viewer }) => {
    const images = await Promise.all(exampleImageIds.map((id) => loaders.image.load(id)));
    return images
      .filter((image) => image !== null)
      .filter(({ collectionId }) => canSee(viewer, collectionId));
  },
  parents: async ({ parentIds, vocabularyId, version }, _args, { loaders }) => {
    const keys = parentIds.map((id) => ({ id, vocabularyId, version }));
    const parents = await Promise.all(keys.map((key) => loaders.labelOfVersion.load(key)));
    return parents.filter((parent) => parent !== null);
  },
};
