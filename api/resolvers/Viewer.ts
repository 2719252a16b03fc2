import type { ViewerResolvers } from '../generated/resolvers.ts';
import { loadScope } from './ApiKey.ts';

export const Viewer: ViewerResolvers = {
  keyPrefix: ({ prefix }) => prefix,
  keyName: ({ name }) => name,
  collections: (viewer, _args, context) => loadScope(viewer, context),
};
