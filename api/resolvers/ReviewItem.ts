import type { ReviewItemResolvers } from '../generated/resolvers.ts';

export const ReviewItem: ReviewItemResolvers = {
  image: ({ imageId }, _args, { loaders }) => still(loaders.image.load(imageId)),
  tagRun: ({ tagRunId }, _args, { loaders }) => still(loaders.tagRun.load(tagRunId)),
};

async function still<T>(found: Promise<T | null>): Promise<T> {
  const record = await found;
  if (record !== null) return record;
  throw new Error('An item of a review outlived what it is of.'); // deleted while this was answered
}
