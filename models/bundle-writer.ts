import { createHash } from 'node:crypto';
import { constants, copyFile, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, PlatformError, systemErrorCode } from '../platform/errors.ts';
import { makeFolder } from '../platform/make-folder.ts';
import { Bundle } from './bundle.ts';
import { textModelFingerprint, visionSpaceFingerprint } from './fingerprints.ts';
import type { Manifest } from './manifest.ts';

const MANIFEST = 'manifest.json';
/** Largest file of a graph: a larger one is cut into parts, which are joined in memory. */
const PART_BYTES = 48_000_000;

/**
 * Writes a bundle's folder, its manifest last: killed before that, it is no bundle, and the same run may write it again.
 */
export class BundleWriter {
  readonly folder: string;
  readonly #files: Manifest['files'] = {};

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Makes the folder. Throws `BAD_USER_INPUT` where a finished bundle lies already. */
  static async create(folder: string): Promise<BundleWriter> {
    await refuseExistingBundle(folder);
    await makeFolder(folder);
    return new BundleWriter(folder);
  }

  /** Copies a checked file of another bundle; where the file system can, without taking room twice. */
  async copy(from: Bundle, name: string): Promise<void> {
    const bytes = await from.read(name);
    await this.#put(name, async (path) => {
      await rm(path, { force: true }); // a stopped run's copy may be read-only, as its original
      await copyFile(join(from.folder, name), path, constants.COPYFILE_FICLONE);
    });
    this.#files[name] = entryOf(bytes);
  }

  async write(name: string, bytes: Uint8Array): Promise<void> {
    await this.writeUnlisted(name, bytes);
    this.#files[name] = entryOf(bytes);
  }

  /** A file that people may edit: a model card. */
  async writeUnlisted(name: string, content: Uint8Array | string): Promise<void> {
    await this.#put(name, (path) => writeFile(path, content));
  }

  /** Gives the names of the parts, in order. */
  async writeGraph(name: string, graph: Uint8Array): Promise<string[]> {
    const count = Math.max(1, Math.ceil(graph.length / PART_BYTES));
    const names = count === 1 ? [name] : Array.from({ length: count }, (_, i) => `${name}.${i}`);
    for (const [i, part] of names.entries()) {
      await this.write(part, graph.subarray(i * PART_BYTES, (i + 1) * PART_BYTES));
    }
    return names;
  }

  /** What the bundle will be, with its files as they are now. */
  preview(manifest: Omit<Manifest, 'files' | 'fingerprints'>): Bundle {
    return new Bundle(this.folder, { ...manifest, files: this.#files });
  }

  /** Adds files and fingerprints to the manifest and writes it: from here on it is a bundle. */
  async finish(description: Omit<Manifest, 'files' | 'fingerprints'>): Promise<Bundle> {
    const { manifest } = this.preview(description);
    const fingerprints = {
      visionSpace: visionSpaceFingerprint(manifest),
      textModel: textModelFingerprint(manifest),
    };
    const content = `${JSON.stringify({ ...manifest, fingerprints }, null, 2)}\n`;
    await this.#put(MANIFEST, async (path) => {
      await writeFile(`${path}.new`, content);
      await rename(`${path}.new`, path);
    });
    return Bundle.open(this.folder);
  }

  /** A full disk or a folder of somebody else is the caller's to know, not our bug. */
  async #put(name: string, write: (path: string) => Promise<void>): Promise<void> {
    try {
      await write(join(this.folder, name));
    } catch (cause) {
      const story = `${this.folder}: ${name} can't be written: ${messageOf(cause)}`;
      throw new PlatformError('BAD_USER_INPUT', story, { cause });
    }
  }
}

async function refuseExistingBundle(folder: string): Promise<void> {
  try {
    await readFile(join(folder, MANIFEST));
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return;
    throw new PlatformError('BAD_USER_INPUT', `${folder} can't be written: name a folder.`, {
      cause: error,
    });
  }
  throw new PlatformError(
    'BAD_USER_INPUT',
    `${folder} already holds a finished bundle: name another folder.`,
  );
}

function entryOf(bytes: Uint8Array): Manifest['files'][string] {
  return { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}
