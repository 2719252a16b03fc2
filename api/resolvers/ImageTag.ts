import { hasRole } from '../auth/viewer.ts';
import type { ImageTagResolvers } from '../generated/resolvers.ts';

export const ImageTag: ImageTagResolvers = {
  tagRun: ({ tagRunId }, _args, { loaders }) =>
    tagRunId === null ? null : loaders.tagRun.load(tagRunId),
  setBy: ({ setBy }, _args, { viewer }) => (hasRole(viewer, 'CURATOR') ? setBy : null),
};
