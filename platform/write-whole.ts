import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

export interface WriteOptions {
  /** Permissions of the file. Default: 0o666 less the process's mask. */
  readonly mode?: number;
  /** Asked right before the file appears; throws where it must not. */
  readonly check?: () => Promise<void>;
}

/**
 * Writes a file that is whole or not there: under a hidden name beside it, on the disk, and then renamed. What was there is there until
 * then, and stays when `parts` throws.
 */
export async function writeWhole(
  path: string,
  parts: AsyncIterable<string> | Iterable<string>,
  { mode = 0o666, check }: WriteOptions = {},
): Promise<void> {
  const folder = dirname(path);
  const draft = join(folder, `.${basename(path)}.${randomBytes(6).toString('hex')}.part`);
  try {
    const file = await open(draft, 'wx', mode);
    try {
      for await (const part of parts) await file.write(part);
      await file.sync();
    } finally {
      await file.close();
    }
    await check?.();
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  await syncFolder(folder);
}

/** Not every system can. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch(() => null);
  try {
    await folder?.sync();
  } catch {
    // The name is in the folder all the same.
  } finally {
    await folder?.close();
  }
}
