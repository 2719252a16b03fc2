import { basename, join } from 'node:path';
import type { IndexKey } from '../../store/changes.ts';
import { ENGINE_NAMES, type EngineName } from './engines.ts';

/** Where the snapshots of a data folder lie. */
export function snapshotFolder(dataFolder: string): string {
  return join(dataFolder, 'indexes');
}

/** Engines don't read each other's snapshots. */
export function snapshotFile(folder: string, key: IndexKey, engine: EngineName): string {
  return join(folder, `${key.collectionId}-${key.visionSpaceId}.snapshot.${engine}`);
}

/** Of every engine. */
export function snapshotFiles(folder: string, key: IndexKey): readonly string[] {
  return ENGINE_NAMES.map((engine) => snapshotFile(folder, key, engine));
}

const SNAPSHOT =
  /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.snapshot\.[a-z]+$/;

/** Whether the name is one that `snapshotFile` gives. */
export function isSnapshotFile(path: string): boolean {
  return SNAPSHOT.test(basename(path));
}
