import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { messageOf, PlatformError, systemErrorCode } from '../platform/errors.ts';
import {
  languageFingerprint,
  textModelFingerprint,
  visionSpaceFingerprint,
} from './fingerprints.ts';
import { FORMAT, FORMAT_VERSION, manifestSchema, type Manifest } from './manifest.ts';

const MANIFEST = 'manifest.json';
/** A manifest is some kilobytes; a file of this size is something else. */
const MAX_MANIFEST_BYTES = 1_000_000;

/**
 * A model bundle: a folder with `manifest.json`, the ONNX files, the tokenizer and a model card.
 *
 * Opening reads the manifest alone. Every other file is read whole, compared with its length and SHA-256, and only
 * then handed on: nothing downstream ever sees a byte that is not the maker's. All faults are `INVALID_BUNDLE`.
 */
export class Bundle {
  readonly folder: string;
  readonly manifest: Manifest;

  constructor(folder: string, manifest: Manifest) {
    this.folder = folder;
    this.manifest = manifest;
  }

  static async open(folder: string): Promise<Bundle> {
    const manifest = parseManifest(folder, await readManifest(folder));
    const bundle = new Bundle(folder, manifest);
    const { fingerprints } = manifest;
    if (fingerprints && fingerprints.visionSpace !== bundle.visionSpace) {
      throw invalid(folder, 'its vision space is not the one its fingerprint names');
    }
    if (fingerprints && fingerprints.textModel !== bundle.textModel) {
      throw invalid(folder, 'its text model is not the one its fingerprint names');
    }
    return bundle;
  }

  /** Fingerprint of the vision space, 64 hex digits. */
  get visionSpace(): string {
    return visionSpaceFingerprint(this.manifest);
  }

  /** Fingerprint of the text model, 64 hex digits. */
  get textModel(): string {
    return textModelFingerprint(this.manifest);
  }

  /** Fingerprint of the language features, 64 hex digits: the same for every projector trained on them. */
  get languageFeatures(): string {
    return languageFingerprint(this.manifest);
  }

  /** One file's checked bytes. */
  async read(name: string): Promise<Buffer<ArrayBuffer>> {
    const expected = this.manifest.files[name];
    if (!expected) throw invalid(this.folder, `${name} is used but not listed under "files"`);
    const path = join(this.folder, name);
    let bytes;
    try {
      const { size } = await stat(path);
      if (size !== expected.bytes) {
        const story = `${name} has ${size} bytes, not ${expected.bytes}`;
        throw invalid(this.folder, `${story}: copy the file again`);
      }
      bytes = await readFile(path);
    } catch (error) {
      if (error instanceof PlatformError) throw error;
      const isMissing = systemErrorCode(error) === 'ENOENT';
      throw invalid(this.folder, isMissing ? `${name} is missing` : messageOf(error), error);
    }
    if (createHash('sha256').update(bytes).digest('hex') !== expected.sha256) {
      throw invalid(this.folder, `${name} is damaged (its SHA-256 differs): copy the file again`);
    }
    return bytes;
  }

  /** The checked bytes of a graph that may lie in several files. */
  async readGraph(parts: readonly string[]): Promise<Uint8Array> {
    const read = await Promise.all(parts.map((part) => this.read(part)));
    const [only] = read;
    return only && read.length === 1 ? only : Buffer.concat(read);
  }

  /** Checks every file the manifest lists; reports each name before it is read. */
  async verify(onFile: (name: string) => void = () => undefined): Promise<void> {
    for (const name of Object.keys(this.manifest.files)) {
      onFile(name);
      await this.read(name);
    }
  }
}

async function readManifest(folder: string): Promise<unknown> {
  const path = join(folder, MANIFEST);
  try {
    const { size } = await stat(path);
    if (size > MAX_MANIFEST_BYTES)
      throw invalid(folder, `${MANIFEST} is too large to be a manifest`);
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    if (error instanceof PlatformError) throw error;
    const code = systemErrorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw invalid(folder, `there is no ${MANIFEST}; name a bundle's folder`, error);
    }
    throw invalid(folder, `${MANIFEST} can't be read: ${messageOf(error)}`, error);
  }
}

function parseManifest(folder: string, content: unknown): Manifest {
  const header = z
    .object({ format: z.literal(FORMAT), formatVersion: z.unknown() })
    .safeParse(content);
  if (!header.success) throw invalid(folder, `${MANIFEST} is not a ShareLock bundle's`);
  if (header.data.formatVersion !== FORMAT_VERSION) {
    const found = JSON.stringify(header.data.formatVersion);
    throw invalid(
      folder,
      `it has format version ${found}; this program reads version ${FORMAT_VERSION}`,
    );
  }
  const parsed = manifestSchema.safeParse(content);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw invalid(folder, `${MANIFEST}: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`);
}

function invalid(folder: string, reason: string, cause?: unknown): PlatformError {
  return new PlatformError(
    'INVALID_BUNDLE',
    `The model bundle ${folder} can't be used: ${reason}.`,
    {
      cause,
    },
  );
}
