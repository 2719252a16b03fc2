import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf, PlatformError, systemErrorCode } from './errors.ts';

/**
 * Makes a folder and those above it; one that is there is fine. Throws `BAD_USER_INPUT` where none can be made. (Node's own
 * recursive `mkdir` never ends on file systems that answer ENOENT to everything, such as /proc.)
 */
export async function makeFolder(path: string): Promise<void> {
  try {
    await makeMissing(path);
  } catch (cause) {
    const reason = messageOf(cause);
    throw new PlatformError('BAD_USER_INPUT', `The folder ${path} can't be made: ${reason}`, {
      cause,
    });
  }
}

async function makeMissing(path: string): Promise<void> {
  try {
    await makeOne(path);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT' || dirname(path) === path) throw error;
    await makeMissing(dirname(path));
    await makeOne(path);
  }
}

/** Others may be making the same one. */
async function makeOne(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if (systemErrorCode(error) !== 'EEXIST' || !(await stat(path)).isDirectory()) throw error;
  }
}
