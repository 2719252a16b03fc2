import { realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { PlatformError } from '../../platform/errors.ts';
import type { SourceRecord } from '../../store/sources.ts';
import type { UploadStore } from './uploads.ts';

interface Located {
  readonly path: string;
  readonly sha256: Uint8Array;
  readonly sourceId: string | null;
}

/**
 * The absolute path of an image's original. Throws `NOT_FOUND` when it is gone, or when a folder on the way has become a
 * link that leads out of the source. Open it without following links (`Decoder` does).
 */
export async function locateImage(
  image: Located,
  source: Pick<SourceRecord, 'name' | 'folder'> | null,
  uploads: UploadStore,
): Promise<string> {
  if (image.sourceId === null) return uploads.pathOf(image.sha256);
  if (source === null) throw gone(image.path);
  return locateFile(source, image.path);
}

/** The same for a path that may not be an image yet. */
export async function locateFile(
  { name, folder }: Pick<SourceRecord, 'name' | 'folder'>,
  path: string,
): Promise<string> {
  const relative = relativePath(name, path);
  const file = join(folder, ...relative.split('/'));
  let parent: string;
  try {
    parent = await realpath(join(file, '..'));
  } catch (cause) {
    throw gone(path, cause);
  }
  if (!isInside(parent, folder)) throw gone(path);
  return file;
}

/** Its path below the source's folder. */
export function relativePath(sourceName: string, path: string): string {
  const prefix = `${sourceName}/`;
  const parts = path.slice(prefix.length).split('/');
  const isPlain = parts.every((part) => part !== '' && part !== '.' && part !== '..');
  if (!path.startsWith(prefix) || !isPlain) throw gone(path);
  return parts.join('/');
}

export function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

function gone(path: string, cause?: unknown): PlatformError {
  return new PlatformError('NOT_FOUND', `The file of ${path} is gone.`, { cause });
}
