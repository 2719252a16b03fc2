import { readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { Bundle } from '../../models/bundle.ts';
import { copyTinyBundle, editManifest, temporaryFolder, TINY_BUNDLE } from '../support/bundles.ts';
import { rejection, withCode } from '../support/errors.ts';

const openAndVerify = async (folder: string): Promise<void> => {
  await (await Bundle.open(folder)).verify();
};

/** One line, no trace, and it names what is wrong. */
async function expectRefused(folder: string, reason: RegExp): Promise<void> {
  const error = await rejection(openAndVerify(folder));

  expect(error).toMatchObject(withCode('INVALID_BUNDLE'));
  expect(error.message).toMatch(reason);
  expect(error.message).not.toContain('\n');
}

test('an undamaged bundle passes', async () => {
  await openAndVerify(TINY_BUNDLE);
});

describe('a damaged bundle is refused:', () => {
  test('a file cut short', async () => {
    const folder = await copyTinyBundle();
    await truncate(join(folder, 'vision.onnx'), 100);

    await expectRefused(folder, /vision\.onnx has 100 bytes/);
  });

  test('one flipped bit', async () => {
    const folder = await copyTinyBundle();
    const path = join(folder, 'language.onnx');
    const bytes = await readFile(path);
    bytes[1000] = (bytes[1000] ?? 0) ^ 1;
    await writeFile(path, bytes);

    await expectRefused(folder, /language\.onnx is damaged/);
  });

  test('a missing file', async () => {
    const folder = await copyTinyBundle();
    await rm(join(folder, 'tokenizer.json'));

    await expectRefused(folder, /tokenizer\.json is missing/);
  });

  test('a missing manifest, or a folder that is none', async () => {
    await expectRefused(await temporaryFolder(), /there is no manifest\.json/);
    await expectRefused(join(TINY_BUNDLE, 'vision.onnx'), /there is no manifest\.json/);
  });

  test('a manifest of another version', async () => {
    const folder = await copyTinyBundle();
    await editManifest(folder, (manifest) => ({ ...manifest, formatVersion: 2 }));

    await expectRefused(folder, /format version 2; this program reads version 1/);
  });

  test('JSON that is not a manifest, and text that is not JSON', async () => {
    const folder = await copyTinyBundle();
    await writeFile(join(folder, 'manifest.json'), '{"name":"package"}');
    await expectRefused(folder, /not a ShareLock bundle/);

    await writeFile(join(folder, 'manifest.json'), '{"format": ');
    await expectRefused(folder, /can't be read/);
  });

  test('a file name that leads out of the folder', async () => {
    const folder = await copyTinyBundle();
    await editManifest(folder, ({ vision, ...rest }) => ({
      ...rest,
      vision: { ...vision, graph: ['../elsewhere/vision.onnx'] },
    }));

    await expectRefused(folder, /vision\.graph\.0 must be a plain file name/);
  });

  test('a graph that the list of files does not have', async () => {
    const folder = await copyTinyBundle();
    await editManifest(folder, ({ vision, ...rest }) => ({
      ...rest,
      vision: { ...vision, graph: ['other.onnx'] },
    }));

    const bundle = await Bundle.open(folder);

    await expect(bundle.readGraph(['other.onnx'])).rejects.toMatchObject(
      withCode('INVALID_BUNDLE'),
    );
  });

  test('settings changed behind the fingerprints', async () => {
    const folder = await copyTinyBundle();
    const { visionSpace, textModel } = await Bundle.open(folder);
    await editManifest(folder, ({ vision, ...rest }) => ({
      ...rest,
      vision: { ...vision, input: { ...vision.input, kernel: 'nearest' } },
      fingerprints: { visionSpace, textModel },
    }));

    await expectRefused(folder, /its vision space is not the one/);
  });
});

describe('fingerprints', () => {
  const fingerprintsAfter = async (edit: Parameters<typeof editManifest>[1]): Promise<Bundle> => {
    const folder = await copyTinyBundle();
    await editManifest(folder, edit);
    return Bundle.open(folder);
  };

  test('names and key order do not matter, settings do', async () => {
    const original = await Bundle.open(TINY_BUNDLE);

    const renamed = await fingerprintsAfter((manifest) =>
      Object.fromEntries(Object.entries({ ...manifest, name: 'other' }).reverse()),
    );
    const resized = await fingerprintsAfter(({ vision, ...rest }) => ({
      ...rest,
      vision: { ...vision, input: { ...vision.input, kernel: 'linear' } },
    }));

    expect(renamed.visionSpace).toBe(original.visionSpace);
    expect(renamed.textModel).toBe(original.textModel);
    expect(resized.visionSpace).not.toBe(original.visionSpace);
    expect(resized.textModel).not.toBe(original.textModel);
  });

  test('another projector is another text model in the same vision space', async () => {
    const original = await Bundle.open(TINY_BUNDLE);

    const other = await fingerprintsAfter(({ files, ...rest }) => ({
      ...rest,
      files: { ...files, 'projector.onnx': { bytes: 1, sha256: '0'.repeat(64) } },
    }));

    expect(other.visionSpace).toBe(original.visionSpace);
    expect(other.languageFeatures).toBe(original.languageFeatures);
    expect(other.textModel).not.toBe(original.textModel);
  });
});
