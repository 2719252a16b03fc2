import { createHash, randomUUID, type Hash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { messageOf, systemErrorCode } from '../../platform/errors.ts';
import {
  encodeHead,
  FORMAT_VERSION,
  isConsistent,
  MAGIC,
  mismatch,
  parseHeader,
  PREAMBLE_BYTES,
  TRAILER_BYTES,
  type SnapshotHeader,
} from './snapshot-format.ts';

/** What must be the same for a snapshot to be used. */
export interface SnapshotIdentity {
  readonly engine: string;
  readonly build: string;
  /** Of the vision space. */
  readonly fingerprint: string;
  readonly dimensions: number;
}

export interface SnapshotContent {
  /** The last change it holds. */
  readonly lastSeq: bigint;
  readonly ids: BigUint64Array;
  readonly vectors: Float32Array;
  /** What the graph wants kept beside its file. */
  readonly beside: Uint8Array;
  /** The engine's own file; null when it has none. */
  readonly graphFile: string | null;
}

export type Restored =
  | { readonly outcome: 'NONE' }
  | { readonly outcome: 'RESTORED'; readonly lastSeq: bigint }
  /** Not usable: moved to `movedTo`, the index is empty and has to be built again. */
  | { readonly outcome: 'QUARANTINED'; readonly reason: string; readonly movedTo: string };

/** A snapshot that can't be used; never leaves this folder. */
class UnusableSnapshot extends Error {}

const PIECE_BYTES = 4 << 20;
/** A scratch file of this age belongs to a process that was killed. */
const LEFTOVER_MS = 3_600_000;
const SCRATCH = '.scratch-';

/** A name beside the snapshot for nobody else: several processes may read or write the same one. */
export function scratchFile(path: string): string {
  return `${path}${SCRATCH}${randomUUID()}`;
}

/**
 * Writes a snapshot so that a crash at any moment leaves the old file or the new one, whole: temporary name, fsync, rename,
 * fsync of the folder. Blocks its thread: call it in the index's own.
 */
export function writeSnapshot(
  path: string,
  identity: SnapshotIdentity,
  content: SnapshotContent,
): void {
  const temporary = scratchFile(path);
  removeLeftovers(path);
  try {
    const file = openSync(temporary, 'w');
    try {
      writeContent(file, identity, content);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  syncFolder(dirname(path));
}

/**
 * Reads a snapshot and hands it to `use` after every byte was checked. Whatever is wrong with the file, `use` failing
 * included, moves it aside and says so; the only errors thrown are those of moving it.
 *
 * The engine's own file is taken out into a scratch file, which is there while `use` runs.
 */
export function restoreSnapshot(
  path: string,
  identity: SnapshotIdentity,
  use: (content: SnapshotContent) => void,
): Restored {
  if (!existsSync(path)) return { outcome: 'NONE' };
  const graphFile = scratchFile(path);
  try {
    const content = readContent(path, identity, graphFile);
    use(content);
    return { outcome: 'RESTORED', lastSeq: content.lastSeq };
  } catch (error) {
    const movedTo = `${path}.quarantined`;
    moveAside(path, movedTo);
    return { outcome: 'QUARANTINED', reason: messageOf(error), movedTo };
  } finally {
    rmSync(graphFile, { force: true });
  }
}

/** Another process may have been faster. */
function moveAside(path: string, movedTo: string): void {
  try {
    renameSync(path, movedTo);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
  }
}

function removeLeftovers(path: string): void {
  const folder = dirname(path);
  const prefix = `${basename(path)}${SCRATCH}`;
  for (const name of readdirSync(folder).filter((other) => other.startsWith(prefix))) {
    const stat = statSync(join(folder, name), { throwIfNoEntry: false });
    if (stat && Date.now() - stat.mtimeMs > LEFTOVER_MS)
      rmSync(join(folder, name), { force: true });
  }
}

function writeContent(file: number, identity: SnapshotIdentity, content: SnapshotContent): void {
  const { ids, vectors, beside, lastSeq, graphFile } = content;
  const graph = graphFile === null ? null : openSync(graphFile, 'r');
  try {
    const parts = {
      ids: ids.byteLength,
      vectors: vectors.byteLength,
      beside: beside.byteLength,
      graph: graph === null ? 0 : fstatSync(graph).size,
    };
    const { engine, build, fingerprint, dimensions } = identity;
    const about = { engine, build, fingerprint, dimensions, count: ids.length };
    const hash = createHash('sha256');
    const write = (bytes: Uint8Array): void => {
      hash.update(bytes);
      writeFully(file, bytes);
    };
    write(encodeHead({ ...about, lastSeq: String(lastSeq), parts }));
    for (const part of [ids, vectors, beside]) eachPiece(bytesOf(part), write);
    if (graph !== null) copyPieces(graph, parts.graph, write);
    writeFully(file, hash.digest());
  } finally {
    if (graph !== null) closeSync(graph);
  }
}

function readContent(path: string, wanted: SnapshotIdentity, graphFile: string): SnapshotContent {
  const file = openSync(path, 'r');
  try {
    const hash = createHash('sha256');
    const header = readHeader(file, hash);
    const content = readBody(file, header, hash, graphFile);
    const trailer = readFully(file, Buffer.alloc(TRAILER_BYTES));
    if (!hash.digest().equals(trailer)) throw new UnusableSnapshot('its checksum is wrong');
    const other = mismatch(header, wanted);
    if (other !== null) throw new UnusableSnapshot(other);
    return content;
  } finally {
    closeSync(file);
  }
}

function readHeader(file: number, hash: Hash): SnapshotHeader {
  const fileBytes = fstatSync(file).size;
  const preamble = readFully(file, Buffer.alloc(PREAMBLE_BYTES));
  if (!preamble.subarray(0, MAGIC.length).equals(MAGIC))
    throw new UnusableSnapshot('it is not a snapshot');
  const version = preamble.readUInt32LE(MAGIC.length);
  if (version !== FORMAT_VERSION)
    throw new UnusableSnapshot(`its format is version ${version}, this is ${FORMAT_VERSION}`);
  const headerBytes = preamble.readUInt32LE(MAGIC.length + 4);
  const bodyBytes = fileBytes - PREAMBLE_BYTES - headerBytes - TRAILER_BYTES;
  if (bodyBytes < 0) throw new UnusableSnapshot('it is cut short');
  const json = readFully(file, Buffer.alloc(headerBytes));
  const header = parseHeader(json);
  if (header === null) throw new UnusableSnapshot('its header can not be read');
  if (!isConsistent(header, bodyBytes)) throw new UnusableSnapshot('its length is wrong');
  hash.update(preamble).update(json);
  return header;
}

/** Lengths are known to fit the file, so nothing absurd is allocated. */
function readBody(
  file: number,
  { parts, lastSeq }: SnapshotHeader,
  hash: Hash,
  graphFile: string,
): SnapshotContent {
  const ids = new BigUint64Array(parts.ids / 8);
  const vectors = new Float32Array(parts.vectors / 4);
  const beside = new Uint8Array(parts.beside);
  for (const part of [ids, vectors, beside]) {
    eachPiece(bytesOf(part), (piece) => hash.update(readFully(file, piece)));
  }
  const graph = openSync(graphFile, 'w');
  try {
    copyPieces(file, parts.graph, (piece) => {
      hash.update(piece);
      writeFully(graph, piece);
    });
  } finally {
    closeSync(graph);
  }
  return { lastSeq: BigInt(lastSeq), ids, vectors, beside, graphFile };
}

function eachPiece(bytes: Uint8Array, use: (piece: Uint8Array) => void): void {
  for (let start = 0; start < bytes.length; start += PIECE_BYTES) {
    use(bytes.subarray(start, start + PIECE_BYTES));
  }
}

function copyPieces(from: number, bytes: number, use: (piece: Uint8Array) => void): void {
  const buffer = new Uint8Array(Math.min(bytes, PIECE_BYTES));
  for (let left = bytes; left > 0; left -= buffer.length) {
    use(readFully(from, buffer.subarray(0, left)));
  }
}

function readFully<Bytes extends Uint8Array>(file: number, into: Bytes): Bytes {
  for (let done = 0; done < into.length;) {
    const read = readSync(file, into, done, into.length - done, null);
    if (read === 0) throw new UnusableSnapshot('it is cut short');
    done += read;
  }
  return into;
}

function writeFully(file: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) {
    done += writeSync(file, bytes, done, bytes.length - done);
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function syncFolder(folder: string): void {
  const file = openSync(folder, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
