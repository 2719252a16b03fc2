import { cp, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { BundleCatalog } from '../../models/bundle-catalog.ts';
import { Bundle } from '../../models/bundle.ts';
import type { Manifest } from '../../models/manifest.ts';
import { editManifest, temporaryFolder, TINY_BUNDLE } from '../support/bundles.ts';

let folder: string;
let main: Bundle;
let nowMs: number;
let warnings: { folder: string; reason: string }[];
beforeEach(async () => {
  folder = join(await temporaryFolder(), 'bundles');
  main = await Bundle.open(TINY_BUNDLE);
  nowMs = 0;
  warnings = [];
});

const openCatalog = (): Promise<BundleCatalog> => {
  const write = (line: string): void => {
    warnings.push(JSON.parse(line) as (typeof warnings)[number]);
  };
  return BundleCatalog.open({ main, folder, logger: pino({}, { write }), clock: () => nowMs });
};

const smoother = (manifest: Manifest, kernel: 'linear' | 'mitchell' = 'linear'): Manifest => ({
  ...manifest,
  vision: { ...manifest.vision, input: { ...manifest.vision.input, kernel } },
});

/** A bundle of another vision space than the main one's. */
async function addBundle(name: string, edit: (manifest: Manifest) => unknown = smoother) {
  const path = join(folder, name);
  await cp(TINY_BUNDLE, path, { recursive: true });
  await editManifest(path, edit);
  return path;
}

const namesOf = (bundles: readonly Bundle[]): string[] =>
  bundles.map(({ manifest }) => `${manifest.name}@${manifest.version}`);

test('a missing folder leaves the main bundle alone', async () => {
  const catalog = await openCatalog();

  expect(await catalog.all()).toEqual([main]);
  expect(await catalog.findByVisionSpace('0'.repeat(64))).toBeNull();
  expect(await catalog.findByTextModel('0'.repeat(64))).toBeNull();
  expect(warnings).toEqual([]);
});

test('a file in the place of the folder is told once', async () => {
  await writeFile(folder, '');

  const catalog = await openCatalog();
  await catalog.findByVisionSpace('0'.repeat(64));

  expect(await catalog.all()).toEqual([main]);
  expect(warnings).toMatchObject([{ level: 40, folder }]);
});

describe('bundles of the folder', () => {
  test('follow the main one by name, the highest version first', async () => {
    const named = (name: string, version: number) => (manifest: Manifest) => ({
      ...smoother(manifest),
      name,
      version,
    });
    await addBundle('a', named('zebra', 1));
    await addBundle('b', named('ant', 9));
    await addBundle('c', named('ant', 10));
    await mkdir(join(folder, 'no bundle'));
    await writeFile(join(folder, 'a file'), '');

    const catalog = await openCatalog();

    expect(namesOf(await catalog.all())).toEqual(['tiny-random@1', 'ant@10', 'ant@9', 'zebra@1']);
    expect(warnings).toEqual([]);
  });

  test('are found by their fingerprints, the main one first', async () => {
    const other = await Bundle.open(await addBundle('other'));
    await addBundle('copy', (manifest) => ({ ...manifest, name: 'a-copy' }));

    const catalog = await openCatalog();

    expect(await catalog.findByVisionSpace(main.visionSpace)).toBe(main);
    expect(await catalog.findByTextModel(main.textModel)).toBe(main);
    expect((await catalog.findByVisionSpace(other.visionSpace))?.folder).toBe(other.folder);
    expect((await catalog.findByTextModel(other.textModel))?.folder).toBe(other.folder);
  });

  test('without a projector have a space and no text model', async () => {
    const untrained = await Bundle.open(
      await addBundle('untrained', (manifest) => ({ ...smoother(manifest), projector: undefined })),
    );

    const catalog = await openCatalog();

    expect(await catalog.findByVisionSpace(untrained.visionSpace)).not.toBeNull();
    expect(await catalog.findByTextModel(untrained.textModel)).toBeNull();
  });

  test('do not count the main one twice, even through a link', async () => {
    await mkdir(folder);
    await symlink(TINY_BUNDLE, join(folder, 'link'));

    expect(await (await openCatalog()).all()).toEqual([main]);
  });
});

describe('a folder that changes', () => {
  test('is looked at again after two seconds, and what is open stays open', async () => {
    await addBundle('first');
    const catalog = await openCatalog();
    const before = await catalog.all();
    await addBundle('second', (manifest) => smoother(manifest, 'mitchell'));

    nowMs = 1999;
    expect(await catalog.all()).toHaveLength(2);
    nowMs = 2000;
    const after = await catalog.all();
    expect(after).toHaveLength(3);
    expect(after[1]).toBe(before[1]);
    await rm(join(folder, 'first'), { recursive: true });
    nowMs = 4000;
    expect(await catalog.all()).toEqual([main, after[2]]);
  });

  test('is looked at again at once for a fingerprint that nobody has', async () => {
    const catalog = await openCatalog();
    const { visionSpace, textModel } = await Bundle.open(await addBundle('new'));

    const found = await Promise.all([
      catalog.findByVisionSpace(visionSpace),
      catalog.findByTextModel(textModel),
      catalog.findByVisionSpace(visionSpace),
    ]);

    expect(found[0]).toMatchObject({ visionSpace });
    expect(found[1]).toBe(found[0]);
    expect(found[2]).toBe(found[0]);
  });

  test('gives a bundle again whose manifest was written again', async () => {
    const path = await addBundle('first');
    const catalog = await openCatalog();
    await editManifest(path, (manifest) => ({ ...manifest, version: 12 }));

    nowMs = 2000;

    expect(namesOf(await catalog.all())).toEqual(['tiny-random@1', 'tiny-random@12']);
  });
});

test('a bundle that can’t be used is left out, with one warning a reason', async () => {
  const path = await addBundle('broken', (manifest) => ({ ...manifest, formatVersion: 99 }));
  const catalog = await openCatalog();
  const scan = async (): Promise<readonly Bundle[]> => {
    nowMs += 2000;
    return catalog.all();
  };

  expect(await scan()).toEqual([main]);
  expect(await scan()).toEqual([main]);
  expect(warnings).toMatchObject([{ folder: path }]);
  expect(warnings[0]?.reason).toMatch(/format version 99/);
  await writeFile(join(path, 'manifest.json'), '{}');
  expect(await scan()).toEqual([main]);
  expect(warnings).toHaveLength(2);
});
