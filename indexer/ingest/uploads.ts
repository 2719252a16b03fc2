import { createHash, randomBytes } from 'node:crypto';
import { open, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { makeFolder } from '../../platform/make-folder.ts';
import { PlatformError } from '../../platform/errors.ts';
import { hexOf } from '../../store/embeddings.ts';

export interface SavedUpload {
  readonly sha256: Uint8Array;
  readonly bytes: number;
}

/** Uploaded originals by the hash of their bytes. Nothing else has them: what `save` has answered survives a power cut. */
export class UploadStore {
  readonly #folder: string;

  constructor(dataFolder: string) {
    this.#folder = join(dataFolder, 'uploads');
  }

  pathOf(sha256: Uint8Array): string {
    const hash = hexOf(sha256);
    return join(this.#folder, hash.slice(0, 2), hash);
  }

  /**
   * Throws `BAD_USER_INPUT` when there are more than `maxBytes`, and then keeps nothing. The stream is destroyed in any
   * case: what holds its bytes meanwhile is free then.
   */
  async save(stream: Readable, { maxBytes }: { readonly maxBytes: number }): Promise<SavedUpload> {
    // It may break before it is read, and an error nobody listens to ends the process. Who reads it later gets it.
    stream.on('error', () => undefined);
    try {
      return await this.#save(stream, maxBytes);
    } finally {
      stream.destroy();
    }
  }

  async #save(stream: Readable, maxBytes: number): Promise<SavedUpload> {
    await makeFolder(this.#folder);
    const draft = join(this.#folder, `${randomBytes(12).toString('hex')}.part`);
    try {
      const saved = await write(stream, draft, maxBytes);
      await this.#keep(draft, saved);
      return saved;
    } catch (error) {
      await rm(draft, { force: true });
      throw error;
    }
  }

  async #keep(draft: string, { sha256, bytes }: SavedUpload): Promise<void> {
    const path = this.pathOf(sha256);
    await makeFolder(dirname(path));
    const kept = await stat(path).catch(() => null);
    if (kept?.size === bytes) await rm(draft);
    else await rename(draft, path);
    await syncFolder(dirname(path));
    await syncFolder(this.#folder);
  }
}

async function write(
  stream: AsyncIterable<Uint8Array>,
  path: string,
  maxBytes: number,
): Promise<SavedUpload> {
  const file = await open(path, 'wx', 0o600);
  try {
    const hash = createHash('sha256');
    let bytes = 0;
    for await (const chunk of stream) {
      bytes += chunk.length;
      if (bytes > maxBytes) throw tooLong(maxBytes);
      hash.update(chunk);
      await writeAll(file, chunk);
    }
    await file.sync();
    return { sha256: hash.digest(), bytes };
  } finally {
    await file.close();
  }
}

async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.length;) {
    at += (await file.write(chunk, at, chunk.length - at)).bytesWritten;
  }
}

function tooLong(maxBytes: number): PlatformError {
  return new PlatformError('BAD_USER_INPUT', `A file may have ${maxBytes / 1e6} MB at most.`);
}

/** A rename is durable when its folder is. Windows can't sync folders, and needn't. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const MAX_NAME = 100;

/** An upload's path in its collection. The name is for people; the hash keeps equal names apart. */
export function uploadPath(sha256: Uint8Array, name: string): string {
  return `uploads/${hexOf(sha256).slice(0, 12)}-${cleanName(name)}`;
}

function cleanName(name: string): string {
  const own = name.split(/[/\\]/).at(-1) ?? '';
  const clean = Array.from(own.replace(/\p{C}+/gu, '').trim())
    .slice(-MAX_NAME)
    .join('');
  return clean === '' || /^\.+$/.test(clean) ? 'upload' : clean;
}
