import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import type { BigIntStats } from 'node:fs';
import { systemErrorCode } from '../../platform/errors.ts';
import { cannotRead, UnreadableImage } from './reasons.ts';
import type { FileDigest } from './decoder-protocol.ts';

export type FileHash = Omit<FileDigest, 'keywords'>;

/** A link at the end of the path is refused, and a pipe without a writer doesn't hold us up. */
const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
const FLAGS = O_RDONLY | O_NOFOLLOW | O_NONBLOCK; // undefined counts as 0 where a system lacks one
const CHUNK_BYTES = 1 << 20;

/** Hashes a regular file without holding it. Throws `UnreadableImage`. */
export async function hashFile(path: string, maxBytes: number): Promise<FileHash> {
  return withFile(path, maxBytes, async (file, before) => {
    const hash = createHash('sha256');
    const buffer = Buffer.alloc(Math.min(CHUNK_BYTES, Number(before.size)));
    let bytes = 0;
    while (bytes < before.size) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, bytes);
      if (bytesRead === 0) break;
      hash.update(buffer.subarray(0, bytesRead));
      bytes += bytesRead;
    }
    await refuseChanged(file, before, bytes);
    return { sha256: hash.digest(), bytes, mtimeNs: before.mtimeNs };
  });
}

/** A regular file's bytes. Throws `UnreadableImage`. */
export async function readWholeFile(path: string, maxBytes: number): Promise<Buffer> {
  return withFile(path, maxBytes, async (file, before) => {
    const bytes = Buffer.alloc(Number(before.size));
    let at = 0;
    while (at < bytes.length) {
      const { bytesRead } = await file.read(bytes, at, bytes.length - at, at);
      if (bytesRead === 0) break;
      at += bytesRead;
    }
    await refuseChanged(file, before, at);
    return bytes;
  });
}

async function withFile<T>(
  path: string,
  maxBytes: number,
  read: (file: FileHandle, before: BigIntStats) => Promise<T>,
): Promise<T> {
  let file: FileHandle | null = null;
  try {
    file = await open(path, FLAGS);
    const before = await file.stat({ bigint: true });
    refuseUnlessReadable(before, maxBytes);
    return await read(file, before);
  } catch (error) {
    throw asUnreadable(error);
  } finally {
    await file?.close();
  }
}

function refuseUnlessReadable(stats: BigIntStats, maxBytes: number): void {
  if (!stats.isFile()) throw notAFile();
  if (stats.size === 0n) throw new UnreadableImage('EMPTY_FILE', 'The file has no bytes.');
  if (stats.size > maxBytes) throw tooLarge(Number(stats.size), maxBytes);
}

export function tooLarge(bytes: number, maxBytes: number): UnreadableImage {
  return new UnreadableImage('TOO_LARGE', `The file has ${bytes} bytes; at most ${maxBytes} work.`);
}

function notAFile(): UnreadableImage {
  return new UnreadableImage('NOT_A_FILE', 'This is a pipe, socket, device or folder, not a file.');
}

async function refuseChanged(file: FileHandle, before: BigIntStats, read: number): Promise<void> {
  const after = await file.stat({ bigint: true });
  const isSame = after.size === before.size && after.mtimeNs === before.mtimeNs;
  if (isSame && before.size === BigInt(read)) return;
  throw new UnreadableImage('CHANGED_WHILE_READ', 'The file was written while it was read.');
}

/** The reason behind a system error; other errors stay as they are. */
function asUnreadable(error: unknown): unknown {
  switch (systemErrorCode(error) ?? '') {
    case 'ENOENT':
    case 'ENOTDIR':
      return new UnreadableImage('VANISHED', 'The file is gone.', { cause: error });
    case 'ELOOP':
      return new UnreadableImage('SYMLINK', 'Symbolic links are not followed.', { cause: error });
    case 'ENXIO':
    case 'EISDIR':
    case 'ENODEV':
      return notAFile();
    case 'EACCES':
    case 'EPERM':
    case 'EIO':
    case 'ESTALE':
      return new UnreadableImage('UNREADABLE', cannotRead('The file', error), {
        cause: error,
      });
    default:
      return error;
  }
}
