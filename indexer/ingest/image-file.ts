import { lstat, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { PlatformError, systemErrorCode } from '../../platform/errors.ts';
import type { SourceRecord } from '../../store/sources.ts';
import { cannotRead, UnreadableImage } from './reasons.ts';
import type { UploadStore } from './uploads.ts';

interface Located {
  readonly path: string;
  readonly sha256: Uint8Array;
  readonly sourceId: string | null;
}

/**
 * The absolute path of an image's original. Throws `NOT_FOUND` when nobody gets there: it is gone, a folder on the way
 * can't be read, or has become a link that leads out of the source. Open it without following links (`Decoder` does).
 */
export async function locateImage(
  image: Located,
  source: Pick<SourceRecord, 'name' | 'folder'> | null,
  uploads: UploadStore,
): Promise<string> {
  if (image.sourceId === null) return uploads.pathOf(image.sha256);
  if (source === null) throw gone(image.path);
  try {
    return await locateFile(source, image.path);
  } catch (cause) {
    throw gone(image.path, cause);
  }
}

/**
 * The same for a path that may not be an image yet. `NOT_FOUND` means gone, and nothing else does: where the system doesn't
 * tell (no permission, a disk that is away for the moment) it throws `UnreadableImage`.
 */
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
    throw isAbsence(cause) ? gone(path, cause) : unreachable(path, cause);
  }
  if (!isInside(parent, folder)) throw gone(path);
  return file;
}

/** What the system says of a file; `unknown` is no reason to give it up. */
export type Presence = 'there' | 'gone' | 'unknown';

export async function findPresence(file: string): Promise<Presence> {
  try {
    await lstat(file);
    return 'there';
  } catch (error) {
    return isAbsence(error) ? 'gone' : 'unknown';
  }
}

/** Only when the system says so; a disk that is away for the moment says something else. */
export async function isMissing(file: string): Promise<boolean> {
  return (await findPresence(file)) === 'gone';
}

function isAbsence(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes(systemErrorCode(error) ?? '');
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

function unreachable(path: string, cause: unknown): UnreadableImage {
  return new UnreadableImage('UNREADABLE', cannotRead(`A folder on the way to ${path}`, cause), {
    cause,
  });
}
