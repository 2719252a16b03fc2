import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Bundle } from '../../models/bundle.ts';
import { cosine, type Embedding } from '../../models/embedding.ts';
import { evaluateRetrieval } from '../../models/evaluate/retrieval.ts';
import { ImageEncoder } from '../../models/image-encoder.ts';
import { narrowBundle } from '../../models/narrow-bundle.ts';
import { TextEncoder } from '../../models/text-encoder.ts';
import { DEFAULT_BUNDLE, rootPath, SAMPLE_PHOTOS, temporaryFolder } from '../support/bundles.ts';
import { cosineOf } from '../support/vectors.ts';

interface ReferenceIndex {
  readonly language: { readonly texts: readonly string[]; readonly width: number };
  readonly vision: {
    readonly patterns: number;
    readonly photos: readonly string[];
    readonly width: number;
  };
}

let bundle: Bundle;
let images: ImageEncoder;
let texts: TextEncoder;
let references: ReferenceIndex;
beforeAll(async () => {
  bundle = await Bundle.open(DEFAULT_BUNDLE);
  images = await ImageEncoder.load(bundle);
  texts = await TextEncoder.load(bundle);
  const index = await readFile(rootPath('test/fixtures/references/index.json'), 'utf8');
  references = JSON.parse(index) as ReferenceIndex;
});
afterAll(async () => {
  await images.dispose();
  await texts.dispose();
});

async function referenceRows(file: string, width: number): Promise<Float32Array[]> {
  const bytes = await readFile(rootPath(`test/fixtures/references/${file}`));
  const all = new Float32Array(new Uint8Array(bytes).buffer);
  return Array.from({ length: all.length / width }, (_, i) =>
    all.subarray(i * width, (i + 1) * width),
  );
}

/** The pixels of models/export/make_references.py. */
function pattern(number: number): Uint8Array {
  const side = 224;
  return Uint8Array.from({ length: side * side * 3 }, (_, i) => {
    const [channel, x, y] = [i % 3, Math.floor(i / 3) % side, Math.floor(i / 3 / side)];
    return (x * (number + 1) + y * (number + 2) * 3 + channel * 85 + x * y) % 256;
  });
}

describe('the shipped files', () => {
  test('are whole, each below 50 MB, all together within 110 MB', async () => {
    await bundle.verify();
    const sizes = Object.values(bundle.manifest.files).map(({ bytes }) => bytes);

    expect(Math.max(...sizes)).toBeLessThan(50e6);
    expect(sizes.reduce((a, b) => a + b)).toBeLessThanOrEqual(110e6);
    expect((await stat(join(DEFAULT_BUNDLE, 'README.md'))).size).toBeGreaterThan(1000);
  });

  test('carry the fingerprints they were made with', () => {
    expect(bundle.manifest.fingerprints).toEqual({
      visionSpace: bundle.visionSpace,
      textModel: bundle.textModel,
    });
  });
});

describe('against the published implementations', () => {
  test('the same pixels give PyTorch’s embedding', async () => {
    const rows = await referenceRows('vision.f32', references.vision.width);
    const patterns = Array.from({ length: references.vision.patterns }, (_, i) => pattern(i));

    const ours = await images.encodePixels(patterns);

    ours.forEach((embedding, i) => {
      expect(cosineOf(embedding, rows[i] ?? new Float32Array())).toBeGreaterThan(0.9999);
    });
  });

  test('photos resized by sharp stay near photos resized by Pillow', async () => {
    const { patterns, photos, width } = references.vision;
    const rows = (await referenceRows('vision.f32', width)).slice(patterns);

    const ours = await images.encodeAll(
      photos.map((name) => ({ image: join(SAMPLE_PHOTOS, name) })),
    );

    const cosines = ours.map(({ embedding }, i) =>
      cosineOf(embedding ?? new Float32Array(), rows[i] ?? new Float32Array()),
    );
    const mean = cosines.reduce((a, b) => a + b) / cosines.length;
    expect(photos).toHaveLength(100);
    expect(mean).toBeGreaterThan(0.99);
    expect(Math.min(...cosines)).toBeGreaterThan(0.9);
  });

  test('language features stay near float32 hidden states of transformers', async () => {
    const { texts: given, width } = references.language;
    const rows = await referenceRows('language.f32', width);

    const ours = await texts.features(given);

    rows.forEach((row, i) => {
      expect(cosineOf(ours.subarray(i * width, (i + 1) * width), row)).toBeGreaterThan(0.999);
    });
  });
});

test('a text alone and in a batch of 32 gets the same embedding, and the same bytes twice', async () => {
  const batch = Array.from(
    { length: 32 },
    (_, i) => `${i} dogs ${'run along the beach '.repeat(i % 5)}`,
  );

  const together = await texts.encode(batch);
  const again = await texts.encode(batch);

  for (const [i, text] of batch.entries()) {
    const [alone] = await texts.encode([text]);
    if (!alone || !together[i]) throw new Error('No embedding.');
    expect(cosine(alone.embedding, together[i].embedding)).toBeGreaterThan(0.9999);
    expect(again[i]?.embedding).toEqual(together[i].embedding);
  }
});

test('narrowed to 256 dimensions, photos and texts are the first 256 numbers at length 1', async () => {
  const narrowed = await narrowBundle({
    base: bundle,
    dimensions: 256,
    out: join(await temporaryFolder(), 'narrow'),
  });
  const narrowImages = await ImageEncoder.load(narrowed);
  const narrowTexts = await TextEncoder.load(narrowed);
  const photos = references.vision.photos
    .slice(0, 20)
    .map((name) => ({ image: join(SAMPLE_PHOTOS, name) }));
  const given = references.language.texts;

  const wide = [...(await images.encodeAll(photos)), ...(await texts.encode(given))];
  const narrow = [...(await narrowImages.encodeAll(photos)), ...(await narrowTexts.encode(given))];
  await narrowImages.dispose();
  await narrowTexts.dispose();

  await narrowed.verify();
  expect(narrowed.manifest).toMatchObject({
    name: 'sharelock-lite-256',
    vision: { name: 'efficientnet-lite0-256', dimensions: 256 },
  });
  narrow.forEach(({ embedding }, i) => {
    const cut = wide[i]?.embedding?.subarray(0, 256);
    expect(cosineOf(embedding ?? new Float32Array(), cut ?? new Float32Array())).toBeGreaterThan(
      1 - 1e-6,
    );
  });
});

describe('over the sample photos', () => {
  let photos: { readonly name: string; readonly embedding: Embedding }[];
  beforeAll(async () => {
    const lines = (await readFile(rootPath('samples/photos/index.jsonl'), 'utf8'))
      .trim()
      .split('\n');
    const names = lines.map((line) => (JSON.parse(line) as { image: string }).image);
    const encoded = await images.encodeAll(
      names.map((name) => ({ image: rootPath(`samples/photos/${name}`) })),
    );
    photos = names.flatMap((name, i) => {
      const embedding = encoded[i]?.embedding;
      return embedding ? [{ name, embedding }] : [];
    });
  });

  test.each([
    ['a parrot', /macaw/],
    ['a windmill', /windmill/],
    ['a panda', /panda/],
    ['a cat', /chelsea/],
    ['a cup of coffee', /coffee/],
  ])('"%s" finds one first', async (query, wanted) => {
    const [encoded] = await texts.encode([query]);
    if (!encoded) throw new Error('No embedding.');

    const ranked = [...photos].sort(
      (a, b) => cosine(encoded.embedding, b.embedding) - cosine(encoded.embedding, a.embedding),
    );

    expect(ranked[0]?.name).toMatch(wanted);
  });
});

const data = process.env['SHARELOCK_DATA'];
const whenThere = (dataset: string): typeof describe.skip =>
  data !== undefined && existsSync(join(data, dataset)) ? describe : describe.skip;

whenThere('flickr8k')('on Flickr8k dev (SHARELOCK_DATA)', () => {
  test('retrieval stays above its floors', async () => {
    const { textToImage, imageToText } = await evaluateRetrieval(
      join(data ?? '', 'flickr8k'),
      'dev',
      { images, texts },
    );

    expect(textToImage.r1).toBeGreaterThanOrEqual(19);
    expect(textToImage.r5).toBeGreaterThanOrEqual(47);
    expect(textToImage.r10).toBeGreaterThanOrEqual(61);
    expect(imageToText.r1).toBeGreaterThanOrEqual(30);
    expect(imageToText.r5).toBeGreaterThanOrEqual(59.5);
    expect(imageToText.r10).toBeGreaterThanOrEqual(72);
  });
});

whenThere('captioned_photos')('on photos with captions of our own (SHARELOCK_DATA)', () => {
  test('each caption finds its photo among 96', async () => {
    const folder = join(data ?? '', 'captioned_photos');
    const { textToImage } = await evaluateRetrieval(folder, 'all', { images, texts });

    expect(textToImage.r1).toBeGreaterThanOrEqual(46);
    expect(textToImage.r5).toBeGreaterThanOrEqual(75);
  });
});
