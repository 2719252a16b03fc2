import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { Bundle } from '../../models/bundle.ts';
import { ImageEncoder } from '../../models/image-encoder.ts';
import type { Manifest } from '../../models/manifest.ts';
import { narrowBundle } from '../../models/narrow-bundle.ts';
import { TextEncoder } from '../../models/text-encoder.ts';
import {
  copyTinyBundle,
  editManifest,
  narrowedBundle,
  temporaryFolder,
  TINY_BUNDLE,
} from '../support/bundles.ts';
import { rejection, withCode } from '../support/errors.ts';
import { BLUE, GREEN, halves, plain, RED } from '../support/images.ts';
import { cosineOf } from '../support/vectors.ts';

const PHOTOS = [plain(RED), plain(GREEN), await halves(RED, BLUE), await halves(GREEN, BLUE)];
const TEXTS = ['a parrot', 'two dogs on a beach', 'b'];

/** Photos' and texts' embeddings. */
async function encodeWith(bundle: Bundle): Promise<Float32Array[]> {
  const images = await ImageEncoder.load(bundle, { sessions: 1 });
  const texts = await TextEncoder.load(bundle, { sessions: 1 });
  try {
    const bytes = await Promise.all(PHOTOS.map((photo) => photo.clone().png().toBuffer()));
    const photos = await images.encodeAll(bytes.map((image) => ({ image })));
    const all = [...photos, ...(await texts.encode(TEXTS))];
    return all.map(({ embedding }) => embedding ?? new Float32Array());
  } finally {
    await images.dispose();
    await texts.dispose();
  }
}

const tiny = (): Promise<Bundle> => Bundle.open(TINY_BUNDLE);
const newFolder = async (): Promise<string> => join(await temporaryFolder(), 'narrow');

async function bundleWith(edit: (manifest: Manifest) => unknown): Promise<Bundle> {
  const folder = await copyTinyBundle();
  await editManifest(folder, edit);
  return Bundle.open(folder);
}

async function prototypesOf(bundle: Bundle): Promise<Float32Array> {
  return new Float32Array(Uint8Array.from(await bundle.read('label-prototypes.f32')).buffer);
}

async function bundleWithPrototypes(rows: Float32Array): Promise<Bundle> {
  const bytes = new Uint8Array(rows.buffer);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const entry = { bytes: bytes.length, sha256 };
  const { folder } = await bundleWith(({ files, ...rest }) => ({
    ...rest,
    files: { ...files, 'label-prototypes.f32': entry },
  }));
  await writeFile(join(folder, 'label-prototypes.f32'), bytes);
  return Bundle.open(folder);
}

describe('a narrowed bundle', () => {
  test('gives photos and texts the base’s embeddings, cut and made to length 1', async () => {
    const wide = await encodeWith(await tiny());

    const narrow = await encodeWith(await Bundle.open(await narrowedBundle(8)));

    expect(narrow).toHaveLength(PHOTOS.length + TEXTS.length);
    narrow.forEach((embedding, i) => {
      expect(embedding).toHaveLength(8);
      expect(Math.hypot(...embedding)).toBeCloseTo(1, 5);
      const expected = wide[i]?.subarray(0, 8) ?? new Float32Array();
      expect(cosineOf(embedding, expected)).toBeGreaterThanOrEqual(1 - 1e-6);
    });
  });

  test('is whole, with a space and a text model of its own', async () => {
    const base = await tiny();

    const bundle = await Bundle.open(await narrowedBundle(8));

    await bundle.verify();
    expect(bundle.manifest).toMatchObject({ name: 'tiny-random-8', version: 1 });
    expect(bundle.manifest.vision).toMatchObject({ name: 'tiny-random-8', dimensions: 8 });
    expect(bundle.manifest.fingerprints).toEqual({
      visionSpace: bundle.visionSpace,
      textModel: bundle.textModel,
    });
    expect(bundle.visionSpace).not.toBe(base.visionSpace);
    expect(bundle.textModel).not.toBe(base.textModel);
    expect(bundle.languageFeatures).toBe(base.languageFeatures);
  });

  test('has the same fingerprints whoever makes it and however it is named', async () => {
    const first = await Bundle.open(await narrowedBundle(8));

    const second = await narrowBundle({
      base: await tiny(),
      dimensions: 8,
      out: await newFolder(),
      name: 'other',
    });

    expect(second.manifest.name).toBe('other');
    expect(second.visionSpace).toBe(first.visionSpace);
    expect(second.textModel).toBe(first.textModel);
    expect((await Bundle.open(await narrowedBundle(7))).visionSpace).not.toBe(first.visionSpace);
  });

  test('cuts label prototypes; a row of zeros stays one', async () => {
    const wide = await prototypesOf(await tiny());
    wide.fill(0, 0, 16);
    const base = await bundleWithPrototypes(wide);

    const made = await narrowBundle({ base, dimensions: 8, out: await newFolder() });

    const narrow = await prototypesOf(made);
    expect(narrow).toHaveLength(wide.length / 2);
    expect(narrow.subarray(0, 8)).toEqual(new Float32Array(8));
    for (let row = 1; row * 16 < wide.length; row++) {
      const cut = narrow.subarray(row * 8, row * 8 + 8);
      expect(Math.hypot(...cut)).toBeCloseTo(1, 5);
      expect(cosineOf(cut, wide.subarray(row * 16, row * 16 + 8))).toBeCloseTo(1, 6);
    }
  });

  test('leaves the wide one’s figures behind and says where it comes from', async () => {
    const base = await bundleWith((manifest) => ({
      ...manifest,
      card: 'README.md',
      metrics: { dev: {} },
      projector: { ...manifest.projector, training: { settings: {} } },
    }));
    await writeFile(join(base.folder, 'README.md'), '# The wide card\n');

    const made = await narrowBundle({ base, dimensions: 4, out: await newFolder() });

    const { metrics, projector } = made.manifest;
    expect(metrics).toBeUndefined();
    expect(projector?.training).toEqual({
      narrowedFrom: {
        bundle: 'tiny-random@1',
        dimensions: 16,
        visionSpace: base.visionSpace,
        textModel: base.textModel,
      },
    });
    expect(await readFile(join(made.folder, 'README.md'), 'utf8')).toMatch(
      /^# Model card: tiny-random-4@1\n\nThe first 4 of the 16 [^]*\n# The wide card\n$/,
    );
  });

  test('of a base without a projector has none either', async () => {
    const base = await bundleWith((manifest) => ({ ...manifest, projector: undefined }));

    const made = await narrowBundle({ base, dimensions: 2, out: await newFolder() });

    expect(made.manifest.projector).toBeUndefined();
    await made.verify();
  });

  test('can be narrowed again', async () => {
    const base = await Bundle.open(await narrowedBundle(12));

    const made = await narrowBundle({ base, dimensions: 3, out: await newFolder() });

    expect(made.manifest).toMatchObject({ name: 'tiny-random-3', vision: { dimensions: 3 } });
    const [wide] = await encodeWith(await tiny());
    const [narrow] = await encodeWith(made);
    const expected = wide?.subarray(0, 3) ?? new Float32Array();
    expect(cosineOf(narrow ?? new Float32Array(), expected)).toBeGreaterThanOrEqual(1 - 1e-6);
  });
});

describe('nothing is written', () => {
  test.each([-1, 1, 2.5, 16, 384])('for %d dimensions of 16', async (dimensions) => {
    const out = await newFolder();

    const error = await rejection(narrowBundle({ base: await tiny(), dimensions, out }));

    expect(error).toMatchObject(withCode('BAD_USER_INPUT'));
    expect(error.message).toContain('from 2 to 15');
    await expect(readdir(out)).rejects.toThrow('ENOENT');
  });

  test('under a name that no bundle may have', async () => {
    const options = { base: await tiny(), dimensions: 8, out: await newFolder(), name: 'A/b' };

    await expect(narrowBundle(options)).rejects.toMatchObject(withCode('BAD_USER_INPUT'));
  });

  test('where a file can’t be written', async () => {
    const out = await newFolder();
    await mkdir(join(out, 'vision.onnx'), { recursive: true });

    const error = await rejection(narrowBundle({ base: await tiny(), dimensions: 8, out }));

    expect(error).toMatchObject(withCode('BAD_USER_INPUT'));
    expect(error.message).toContain("vision.onnx can't be written");
  });

  test('over a finished bundle', async () => {
    const out = await copyTinyBundle();

    const error = await rejection(narrowBundle({ base: await tiny(), dimensions: 8, out }));

    expect(error).toMatchObject(withCode('BAD_USER_INPUT'));
    expect(error.message).toContain('name another folder');
    await (await Bundle.open(out)).verify();
  });
});

test('a run that was stopped leaves no bundle, and the same run again makes one', async () => {
  const [base, out] = [await tiny(), await newFolder()];
  const options = { base, dimensions: 8, out, signal: AbortSignal.abort() };

  await expect(narrowBundle(options)).rejects.toMatchObject(withCode('ABORTED'));
  await expect(Bundle.open(out)).rejects.toMatchObject(withCode('INVALID_BUNDLE'));
  await writeFile(join(out, 'vision.onnx'), 'half');

  await (await narrowBundle({ base, dimensions: 8, out })).verify();
});

test('a damaged base is refused before anything can be found in the new folder', async () => {
  const folder = await copyTinyBundle();
  await writeFile(join(folder, 'projector.onnx'), 'damaged');
  const out = await newFolder();

  const made = narrowBundle({ base: await Bundle.open(folder), dimensions: 8, out });

  await expect(made).rejects.toMatchObject(withCode('INVALID_BUNDLE'));
  await expect(Bundle.open(out)).rejects.toMatchObject(withCode('INVALID_BUNDLE'));
});
