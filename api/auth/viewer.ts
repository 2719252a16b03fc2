import { PlatformError } from '../../platform/errors.ts';
import type { ApiKeyRecord, Role } from '../../store/api-keys.ts';
import type { CollectionId } from '../../store/ids.ts';

/** Who asks: a key in force. */
export type Viewer = ApiKeyRecord;

/** The same, beside a GraphQL type of that name. */
export type ViewerRecord = Viewer;

const RANK: Readonly<Record<Role, number>> = { READER: 0, CURATOR: 1, ADMIN: 2 };

/** Each role may do all that the one before may. */
export function hasRole({ role }: Viewer, needed: Role): boolean {
  return RANK[role] >= RANK[needed];
}

export function canSee({ collections }: Viewer, id: CollectionId): boolean {
  return collections === null || collections.includes(id);
}

/** Throws `FORBIDDEN` unless the key has the role, and sees all collections where that is needed. */
export function requirePermission(
  viewer: Viewer,
  { role, allCollections = false }: Permission,
): void {
  if (!hasRole(viewer, role)) {
    const message = `This needs a key with role ${role}; yours is ${viewer.role}.`;
    throw new PlatformError('FORBIDDEN', message);
  }
  if (allCollections && viewer.collections !== null) {
    const message = 'This needs a key for all collections; yours is for some.';
    throw new PlatformError('FORBIDDEN', message);
  }
}

export interface Permission {
  readonly role: Role;
  /** Whether a key for some collections is not enough. */
  readonly allCollections?: boolean;
}
