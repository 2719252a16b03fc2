import { PlatformError } from '../../platform/errors.ts';
import { findCollection, type CollectionRecord } from '../../store/collections.ts';
import type { ImageRecord } from '../../store/images.ts';
import { asImageId, asSourceId, asTagRunId } from '../../store/ids.ts';
import { findJob, type JobRecord } from '../../store/jobs.ts';
import type { TagRunRecord } from '../../store/tag-runs.ts';
import { findSource, type SourceRecord } from '../../store/sources.ts';
import type { Context } from '../context.ts';
import { idOf } from '../node-ids.ts';
import { canSee, type Viewer } from './viewer.ts';

/*
 * What a key may see. A thing out of its scope is the same as a thing that isn't there, so that nobody learns of it.
 */

export async function findVisibleCollection(
  { services, viewer }: Context,
  name: string,
): Promise<CollectionRecord | null> {
  const collection = await findCollection(services.database.prisma, name);
  return collection !== null && canSee(viewer, collection.id) ? collection : null;
}

/** Throws `NOT_FOUND`. */
export async function getVisibleCollection(
  context: Context,
  name: string,
): Promise<CollectionRecord> {
  const collection = await findVisibleCollection(context, name);
  if (collection) return collection;
  throw new PlatformError('NOT_FOUND', `There is no collection "${name.slice(0, 100)}".`);
}

/** Throws `NOT_FOUND`. */
export async function getVisibleSource(
  { services, viewer }: Context,
  nodeId: string,
): Promise<SourceRecord> {
  const id = idOf('Source', nodeId);
  const source = id === null ? null : await findSource(services.database.prisma, asSourceId(id));
  if (source !== null && canSee(viewer, source.collectionId)) return source;
  throw new PlatformError('NOT_FOUND', `There is no source "${nodeId.slice(0, 100)}".`);
}

export async function findVisibleImage(
  { loaders, viewer }: Context,
  nodeId: string,
): Promise<ImageRecord | null> {
  const id = idOf('Image', nodeId);
  const image = id === null ? null : await loaders.image.load(asImageId(id));
  return image !== null && canSee(viewer, image.collectionId) ? image : null;
}

/** Throws `NOT_FOUND`. */
export async function getVisibleImage(context: Context, nodeId: string): Promise<ImageRecord> {
  const image = await findVisibleImage(context, nodeId);
  if (image) return image;
  throw new PlatformError('NOT_FOUND', `There is no image "${nodeId.slice(0, 100)}".`);
}

export async function findVisibleJob(
  { services, viewer }: Context,
  nodeId: string,
): Promise<JobRecord | null> {
  const id = idOf('Job', nodeId);
  const job = id === null ? null : await findJob(services.database.prisma, id);
  return job !== null && isVisibleJob(viewer, job) ? job : null;
}

/** Throws `NOT_FOUND`. */
export async function getVisibleTagRun(
  { loaders, viewer }: Context,
  nodeId: string,
): Promise<TagRunRecord> {
  const id = idOf('TagRun', nodeId);
  const run = id === null ? null : await loaders.tagRun.load(asTagRunId(id));
  if (run !== null && canSee(viewer, run.collectionId)) return run;
  throw new PlatformError('NOT_FOUND', `There is no tag run "${nodeId.slice(0, 100)}".`);
}

/** Jobs of no single collection are for keys of all. */
export function isVisibleJob(viewer: Viewer, { collectionId }: JobRecord): boolean {
  return collectionId === null ? viewer.collections === null : canSee(viewer, collectionId);
}
