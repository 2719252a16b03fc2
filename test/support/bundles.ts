import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from '@jest/globals';
import { Bundle } from '../../models/bundle.ts';
import type { Manifest } from '../../models/manifest.ts';
import { narrowBundle } from '../../models/narrow-bundle.ts';

const ROOT = new URL('../../', import.meta.url);

/** The repository's file of this path. */
export function rootPath(path: string): string {
  return fileURLToPath(new URL(path, ROOT));
}

/** The same architectures as the default bundle, random weights, kilobytes (models/export/make_tiny.py). */
export const TINY_BUNDLE = rootPath('test/fixtures/tiny-bundle');
export const DEFAULT_BUNDLE = rootPath('models/bundles/default');
export const SAMPLE_PHOTOS = rootPath('samples/photos/images');

const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

/** A folder that is removed after the test file; its name has a space on purpose. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sharelock test '));
  folders.push(folder);
  return folder;
}

/** A copy of the tiny bundle that a test may damage. */
export async function copyTinyBundle(): Promise<string> {
  const folder = join(await temporaryFolder(), 'bundle');
  await cp(TINY_BUNDLE, folder, { recursive: true });
  return folder;
}

/** The folder of a bundle in another vision space: the first of the tiny bundle's 16 dimensions. */
export async function narrowedBundle(dimensions: number): Promise<string> {
  const out = join(await temporaryFolder(), 'narrowed');
  await narrowBundle({ base: await Bundle.open(TINY_BUNDLE), dimensions, out });
  return out;
}

/** Rewrites a bundle's manifest. */
export async function editManifest(
  folder: string,
  edit: (manifest: Manifest) => unknown,
): Promise<void> {
  const path = join(folder, 'manifest.json');
  const manifest = JSON.parse(await readFile(path, 'utf8')) as Manifest;
  await writeFile(path, JSON.stringify(edit(manifest)));
}
