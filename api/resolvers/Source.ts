import { hasRole } from '../auth/viewer.ts';
import type { SourceResolvers } from '../generated/resolvers.ts';
import { encodeNodeId } from '../node-ids.ts';

export const Source: SourceResolvers = {
  id: ({ id }) => encodeNodeId('Source', id),
  folder: ({ folder }, _args, { viewer }) => (hasRole(viewer, 'ADMIN') ? folder : null),
  watch: ({ watches }) => watches,
  prune: ({ prunes }) => prunes,
};
