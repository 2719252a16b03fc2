import { constants, type Stats } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { systemErrorCode } from '../../platform/errors.ts';

/** Content that is ready to be sent. Whoever gets one closes it. */
export interface MediaFile {
  /** Length of the whole. */
  readonly bytes: number;
  /** The bytes from `start` to `end`, both included, in pieces. */
  read(start: number, end: number): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

/** `GONE`: no such regular file; `CHANGED`: not the length it had when it was indexed. */
export class MediaFileError extends Error {
  override readonly name = 'MediaFileError';
  readonly reason: 'GONE' | 'CHANGED';

  constructor(reason: 'GONE' | 'CHANGED', options?: ErrorOptions) {
    super(`The file is ${reason.toLowerCase()}.`, options);
    this.reason = reason;
  }
}

/**
 * Opens a file and makes sure, on what was opened and not on its name, that it is a regular file of this length. A link
 * in its place is not followed, and a FIFO doesn't block. Throws `MediaFileError`.
 */
export async function openMediaFile(
  path: string,
  expectedBytes: number | null,
): Promise<MediaFile> {
  const handle = await openExisting(path);
  try {
    const stats = await handle.stat();
    checkStats(stats, expectedBytes);
    return new OpenedFile(handle, stats.size);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Content that is in memory already, such as a thumbnail just made. */
export function mediaFileOf(content: Uint8Array): MediaFile {
  return {
    bytes: content.byteLength,
    // eslint-disable-next-line @typescript-eslint/require-await -- files read asynchronously, memory needn't
    async *read(start, end) {
      yield content.subarray(start, end + 1);
    },
    close: () => Promise.resolve(),
  };
}

/** Errors that mean there is nothing to serve under this name, rather than a fault of the machine. */
const GONE_CODES: ReadonlySet<string | null> = new Set([
  'ENOENT',
  'ENOTDIR',
  'ELOOP', // a symbolic link
  'EISDIR',
  'ENXIO', // a socket, or a device without a driver
  'EACCES',
  'ENAMETOOLONG',
]);

async function openExisting(path: string): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (GONE_CODES.has(systemErrorCode(error))) throw new MediaFileError('GONE', { cause: error });
    throw error;
  }
}

function checkStats(stats: Stats, expectedBytes: number | null): void {
  if (!stats.isFile()) throw new MediaFileError('GONE');
  if (expectedBytes !== null && stats.size !== expectedBytes) throw new MediaFileError('CHANGED');
}

/** Read in one go; a whole photo takes some ten of them. */
const CHUNK_BYTES = 256 * 1024;

class OpenedFile implements MediaFile {
  readonly bytes: number;
  readonly #handle: FileHandle;

  constructor(handle: FileHandle, bytes: number) {
    this.#handle = handle;
    this.bytes = bytes;
  }

  async *read(start: number, end: number): AsyncIterable<Uint8Array> {
    for (let position = start; position <= end;) {
      const length = Math.min(CHUNK_BYTES, end + 1 - position);
      const { buffer, bytesRead } = await this.#handle.read(
        Buffer.alloc(length),
        0,
        length,
        position,
      );
      // Cut short meanwhile: the answer must break off, for it has promised a length.
      if (bytesRead === 0) throw new MediaFileError('CHANGED');
      yield buffer.subarray(0, bytesRead);
      position += bytesRead;
    }
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}
