import { realpath, stat } from 'node:fs/promises';
import { delimiter, resolve } from 'node:path';
import { messageOf, PlatformError } from '../../platform/errors.ts';
import { isInside } from './image-file.ts';

/**
 * A folder's real path, if it may be a source. `mediaRoots`: the folders below which sources may lie; null: anywhere, for
 * the person at this machine's command line. Throws `BAD_USER_INPUT`.
 */
export async function resolveSourceFolder(
  folder: string,
  mediaRoots: readonly string[] | null,
): Promise<string> {
  if (mediaRoots?.length === 0) {
    throw refusal(
      'No folder may be indexed',
      'set MEDIA_ROOTS to the folders below which sources may lie.',
    );
  }
  const real = await resolveFolder(folder);
  if (mediaRoots === null) return real;
  const roots = await Promise.all(mediaRoots.map((root) => realpath(root).catch(() => null)));
  if (roots.some((root) => root !== null && isInside(real, root))) return real;
  const allowed = mediaRoots.join(delimiter);
  throw refusal(
    `The folder ${folder} may not be indexed`,
    `name one below MEDIA_ROOTS (${allowed}).`,
  );
}

async function resolveFolder(folder: string): Promise<string> {
  let real: string;
  try {
    real = await realpath(resolve(folder));
    if ((await stat(real)).isDirectory()) return real;
  } catch (cause) {
    throw refusal(`The folder ${folder} can't be opened (${messageOf(cause)})`, undefined, cause);
  }
  throw refusal(`${folder} is a file`, 'name the folder it lies in.');
}

function refusal(what: string, hint?: string, cause?: unknown): PlatformError {
  const message = hint === undefined ? `${what}; name a folder that exists.` : `${what}: ${hint}`;
  return new PlatformError('BAD_USER_INPUT', message, { cause });
}
