import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import type { Dirent } from 'node:fs';
import { lstat, opendir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { chunk } from '../../platform/chunk.ts';
import { systemErrorCode, throwIfAborted } from '../../platform/errors.ts';
import { isSidecarName, newestSidecarNs, sidecarNames } from './keywords/sidecars.ts';
import { cannotRead, UnreadableImage, type ReasonCode } from './reasons.ts';

/** What lies in a folder. Paths are relative to it, with slashes, exactly as the file system has them. */
export type Scanned =
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly bytes: number;
      /** Nanoseconds since 1970; its sidecar's where that is newer. */
      readonly mtimeNs: bigint;
    }
  | {
      readonly kind: 'refused';
      /** Readable, and different for different files. */
      readonly path: string;
      readonly reason: ReasonCode;
      readonly message: string;
    };

export interface ScanPage {
  readonly entries: readonly Scanned[];
  /** Files that don't claim to be pictures. */
  readonly ignored: number;
  /** Folders, with a slash at the end, that nobody could look into. */
  readonly unreadable: readonly string[];
}

/** Names of pictures, also of kinds we can't decode: people want to hear about those. What a file is, its bytes say. */
const IMAGE_NAME =
  /\.(?:jpe?g|jpe|jfif|png|webp|gif|avif|tiff?|hei[cf]|svg|bmp|ico|psd|jxl|jp2|j2k)$/i;

/** Longest path in bytes; Postgres indexes no text that is much longer. */
const MAX_PATH_BYTES = 2000;
const PAGE_SIZE = 1000;
const STATS_AT_ONCE = 64;

/**
 * Everything in a folder that claims to be a picture, a page at a time, in the file system's order. Follows no links and
 * opens no file. Hidden files and folders are left out. Throws `UnreadableImage` when the folder itself can't be opened.
 */
export async function* scanFolder(folder: string, signal?: AbortSignal): AsyncGenerator<ScanPage> {
  const open = [''];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    const sidecars = await findSidecars(folder, path);
    for await (const names of readFolder(folder, path)) {
      throwIfAborted(signal);
      if (names.kind === 'unreadable') {
        if (path === '') throw unreadableRoot(names.error);
        yield unreadableFolder(path, names.error);
        continue;
      }
      const { folders, page } = await look({ root: folder, parent: path, sidecars }, names.entries);
      open.push(...folders);
      yield page;
    }
  }
}

type Names =
  | { readonly kind: 'entries'; readonly entries: readonly Dirent<Buffer>[] }
  | { readonly kind: 'unreadable'; readonly error: unknown };

async function* readFolder(root: string, path: string): AsyncGenerator<Names> {
  let page: Dirent<Buffer>[] = [];
  try {
    // Names are bytes. The types don't know that `opendir` can give them so.
    const options = { encoding: 'buffer' as BufferEncoding, bufferSize: 256 };
    const entries = await opendir(join(root, path), options);
    for await (const entry of entries) {
      page.push(entry as unknown as Dirent<Buffer>);
      if (page.length < PAGE_SIZE) continue;
      yield { kind: 'entries', entries: page };
      page = [];
    }
  } catch (error) {
    yield { kind: 'unreadable', error };
  }
  yield { kind: 'entries', entries: page };
}

function unreadableRoot(cause: unknown): UnreadableImage {
  const message = cannotRead("The source's folder", cause);
  return new UnreadableImage('SOURCE_UNREADABLE', message, { cause });
}

function unreadableFolder(path: string, error: unknown): ScanPage {
  if (systemErrorCode(error) === 'ENOENT') return { entries: [], ignored: 0, unreadable: [] };
  const message = cannotRead(`The folder ${path}`, error);
  return {
    entries: [refused(path, 'FOLDER_UNREADABLE', message)],
    ignored: 0,
    unreadable: [`${path}/`],
  };
}

interface Place {
  readonly root: string;
  /** Below the root; '' is the root itself. */
  readonly parent: string;
  /** Names of the sidecars there. */
  readonly sidecars: ReadonlySet<string>;
}

/** Names alone, which is quick: a sidecar may stand on another page than its photo. */
async function findSidecars(root: string, path: string): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  try {
    for await (const { name } of await opendir(join(root, path), { bufferSize: 256 })) {
      if (isSidecarName(name)) found.add(name);
    }
  } catch {
    // Reading the folder itself says what is wrong with it.
  }
  return found;
}

async function look(
  place: Place,
  entries: readonly Dirent<Buffer>[],
): Promise<{ folders: string[]; page: ScanPage }> {
  const folders: string[] = [];
  const found: Scanned[] = [];
  let ignored = 0;
  for (const part of chunk(entries, STATS_AT_ONCE)) {
    const seen = await Promise.all(part.map((entry) => lookAt(place, entry)));
    for (const one of seen) {
      if (one === 'ignored') ignored++;
      else if (typeof one === 'string') folders.push(one.slice(FOLDER.length));
      else if (one !== null) found.push(one);
    }
  }
  return { folders, page: { entries: found, ignored, unreadable: [] } };
}

const FOLDER = 'folder ';

/** Null: nothing (hidden, or gone meanwhile). */
async function lookAt(
  { root, parent, sidecars }: Place,
  entry: Dirent<Buffer>,
): Promise<Scanned | `${typeof FOLDER}${string}` | 'ignored' | null> {
  const name = entry.name.toString();
  if (name.startsWith('.')) return null;
  const path = parent === '' ? name : `${parent}/${name}`;
  const isPicture = IMAGE_NAME.test(name);
  if (!isUtf8(entry.name)) return refuseName(path, entry, isPicture);
  if (entry.isDirectory()) return `${FOLDER}${path}`;
  if (entry.isSymbolicLink()) return refuseLink(root, path, isPicture);
  if (!isPicture) return 'ignored';
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) {
    return refused(path, 'NAME_TOO_LONG', `Its path is longer than ${MAX_PATH_BYTES} bytes.`);
  }
  const found = await lookAtFile(root, path);
  const beside = sidecars.size === 0 ? [] : sidecarNames(name).filter((one) => sidecars.has(one));
  if (found?.kind !== 'file' || beside.length === 0) return found;
  const sidecarNs = await newestSidecarNs(join(root, parent), beside);
  return { ...found, mtimeNs: sidecarNs > found.mtimeNs ? sidecarNs : found.mtimeNs };
}

async function lookAtFile(root: string, path: string): Promise<Scanned | null> {
  try {
    const stats = await lstat(join(root, path), { bigint: true });
    if (stats.isFile()) {
      return { kind: 'file', path, bytes: Number(stats.size), mtimeNs: stats.mtimeNs };
    }
    return refused(path, 'NOT_A_FILE', 'This is a pipe, socket or device, not a file.');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return null;
    return refused(path, 'UNREADABLE', cannotRead(`The file ${path}`, error));
  }
}

function refuseName(path: string, entry: Dirent<Buffer>, isPicture: boolean): Scanned | 'ignored' {
  if (!isPicture && !entry.isDirectory()) return 'ignored';
  const what = entry.isDirectory() ? 'folder' : 'file';
  return refused(
    `${path} (bytes ${entry.name.toString('hex')})`,
    'NAME_NOT_UTF8',
    `The ${what}'s name is no UTF-8: rename it.`,
  );
}

/** A link that claims to be a picture, or leads to a folder; others are as uninteresting as other files. */
async function refuseLink(
  root: string,
  path: string,
  isPicture: boolean,
): Promise<Scanned | 'ignored'> {
  const leadsToFolder = await stat(join(root, path)).then(
    (target) => target.isDirectory(),
    () => false,
  );
  if (!isPicture && !leadsToFolder) return 'ignored';
  const hint = leadsToFolder ? ' Add the folder it leads to as a source.' : '';
  return refused(path, 'SYMLINK', `Symbolic links are not followed.${hint}`);
}

const MAX_SHOWN = 300;

function refused(path: string, reason: ReasonCode, message: string): Scanned {
  const isLong = Buffer.byteLength(path) > MAX_PATH_BYTES;
  const hash = isLong ? createHash('sha256').update(path).digest('hex').slice(0, 16) : '';
  const shown = isLong ? `${path.slice(0, MAX_SHOWN)}… (${hash})` : path;
  return { kind: 'refused', path: shown, reason, message };
}
