import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { link, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PlatformError, systemErrorCode } from '../../platform/errors.ts';
import { makeFolder } from '../../platform/make-folder.ts';

const SECRET_BYTES = 32;
const FILE_NAME = 'media-secret';

/**
 * The 32 bytes that sign links, from a file of the data folder that only its owner may read. Made when it isn't there;
 * all processes of a data folder get the same, however many start at once. Throws INVALID_CONFIG for a damaged file.
 */
export async function loadOrCreateSecret(dataFolder: string): Promise<Uint8Array> {
  const path = join(dataFolder, FILE_NAME);
  const found = await readSecret(path);
  if (found !== null) return found;
  await makeFolder(dataFolder);
  await createSecret(path);
  const made = await readSecret(path);
  if (made === null) throw new PlatformError('INVALID_CONFIG', `The file ${path} does not stay.`);
  return made;
}

async function readSecret(path: string): Promise<Uint8Array | null> {
  const file = await openIfThere(path);
  if (file === null) return null;
  try {
    const stats = await file.stat();
    if (!stats.isFile() || stats.size !== SECRET_BYTES) throw damaged(path);
    // As ssh does with keys, but it repairs: copies and restored backups often come with wider permissions.
    if ((stats.mode & 0o077) !== 0) await file.chmod(0o600);
    return await file.readFile();
  } finally {
    await file.close();
  }
}

async function openIfThere(path: string) {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return null;
    throw new PlatformError('INVALID_CONFIG', `The file ${path} can't be read.`, { cause: error });
  }
}

function damaged(path: string): PlatformError {
  return new PlatformError(
    'INVALID_CONFIG',
    `The file ${path} must hold ${SECRET_BYTES} bytes. Delete it: links given out before then end.`,
  );
}

/** Written whole under another name, then linked: nobody sees half a secret, and the first one to link wins. */
async function createSecret(path: string): Promise<void> {
  const temporary = `${path}.${randomBytes(8).toString('hex')}`;
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(randomBytes(SECRET_BYTES));
      await file.sync();
    } finally {
      await file.close();
    }
    await link(temporary, path);
  } catch (error) {
    if (systemErrorCode(error) !== 'EEXIST') throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}
