import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Bundle } from '../../models/bundle.ts';
import { cosine } from '../../models/embedding.ts';
import { ImageEncoder } from '../../models/image-encoder.ts';
import { TextEncoder } from '../../models/text-encoder.ts';
import { copyTinyBundle, editManifest, TINY_BUNDLE } from '../support/bundles.ts';
import { rejection, withCode } from '../support/errors.ts';
import { BLUE, GREEN, plain, RED } from '../support/images.ts';

let images: ImageEncoder;
let texts: TextEncoder;
beforeAll(async () => {
  const bundle = await Bundle.open(TINY_BUNDLE);
  images = await ImageEncoder.load(bundle, { sessions: 2 });
  texts = await TextEncoder.load(bundle, { sessions: 2 });
});
afterAll(async () => {
  await images.dispose();
  await texts.dispose();
});

function length(vector: Float32Array): number {
  return Math.hypot(...vector);
}

describe('texts', () => {
  const many = Array.from({ length: 100 }, (_, i) => `text ${i} ${'word '.repeat(i % 9)}`);

  test('come back in order as unit vectors of the shared space', async () => {
    const encoded = await texts.encode(many);
    const [alone] = await texts.encode([many[57] ?? '']);

    expect(encoded).toHaveLength(100);
    expect(encoded.every(({ embedding }) => Math.abs(length(embedding) - 1) < 1e-4)).toBe(true);
    expect(alone && encoded[57] && cosine(alone.embedding, encoded[57].embedding)).toBeGreaterThan(
      0.9999,
    );
  });

  test('the same text gives the same bytes twice', async () => {
    const [first] = await texts.encode(['a parrot']);
    const [second] = await texts.encode(['a parrot']);

    expect(first?.embedding).toEqual(second?.embedding);
  });

  test('a long text says that it was cut', async () => {
    const [short, long] = await texts.encode(['a', 'b '.repeat(500)]);

    expect(short).toMatchObject({ isTruncated: false, tokens: 2 });
    expect(long).toMatchObject({ isTruncated: true, tokens: 64 });
  });

  test('an empty one is refused by its place', async () => {
    const error = await rejection(texts.encode(['good', ' ']));

    expect(error).toMatchObject(withCode('EMPTY_TEXT'));
    expect(error.message).toContain('Text 2 of 2');
  });

  test('no texts, no embeddings', async () => {
    expect(await texts.encode([])).toEqual([]);
  });

  test('a class is the direction between its prompts', async () => {
    const [label] = await texts.encodeClasses(['parrot $&']);
    const prompts = await texts.encode(['a photo of a parrot $&', 'parrot $&']);

    const sum = prompts.reduce(
      (total, { embedding }) => total + (label ? cosine(label, embedding) : 0),
      0,
    );
    const between =
      prompts[0] && prompts[1] ? cosine(prompts[0].embedding, prompts[1].embedding) : 0;
    expect(sum / 2).toBeCloseTo(Math.sqrt((1 + between) / 2), 4);
  });

  test('stop when asked to', async () => {
    const controller = new AbortController();
    const running = texts.encode(many, { signal: controller.signal });
    controller.abort();

    await expect(running).rejects.toMatchObject(withCode('ABORTED'));
  });

  test('progress counts every text once', async () => {
    let done = 0;
    await texts.encode(many, { onProgress: (more) => (done += more) });

    expect(done).toBe(100);
  });
});

describe('images', () => {
  test('come back in order as unit vectors; a broken one has its reason', async () => {
    const sources = [RED, GREEN, BLUE].map((colour) => plain(colour).png().toBuffer());
    const [red, green, blue] = await Promise.all(sources);
    if (!red || !green || !blue) throw new Error('No pictures.');

    const encoded = await images.encodeAll(
      [red, Buffer.from('broken'), green, blue].map((image) => ({ image })),
    );

    expect(encoded.map(({ embedding }) => embedding?.length)).toEqual([16, undefined, 16, 16]);
    expect(encoded[1]?.error).toMatchObject(withCode('IMAGE_UNREADABLE'));
    expect(encoded[2]?.embedding).toEqual(await images.encode(green));
  });

  test('pixels of another size are refused', async () => {
    await expect(images.encodePixels([new Uint8Array(5)])).rejects.toMatchObject(
      withCode('DIMENSION_MISMATCH'),
    );
  });

  test('stop when asked to', async () => {
    const image = await plain(RED).png().toBuffer();
    const all = Array.from({ length: 200 }, () => ({ image }));

    await expect(images.encodeAll(all, { signal: AbortSignal.abort() })).rejects.toMatchObject(
      withCode('ABORTED'),
    );
  });
});

describe('loading', () => {
  test('a manifest that promises another width is refused', async () => {
    const folder = await copyTinyBundle();
    await editManifest(folder, ({ vision, ...rest }) => ({
      ...rest,
      vision: { ...vision, dimensions: 17 },
    }));
    const bundle = await Bundle.open(folder);

    await expect(ImageEncoder.load(bundle, { sessions: 1 })).rejects.toMatchObject(
      withCode('DIMENSION_MISMATCH'),
    );
    await expect(TextEncoder.load(bundle, { sessions: 1 })).rejects.toMatchObject(
      withCode('DIMENSION_MISMATCH'),
    );
  });

  test('a bundle without projector gives features and refuses embeddings', async () => {
    const folder = await copyTinyBundle();
    await editManifest(folder, (manifest) => ({ ...manifest, projector: undefined }));
    const bundle = await Bundle.open(folder);

    const features = await TextEncoder.load(bundle, { sessions: 1, featuresOnly: true });

    expect(await features.features(['one', 'two'])).toHaveLength(2 * 64);
    await features.dispose();
    await expect(TextEncoder.load(bundle, { sessions: 1 })).rejects.toMatchObject(
      withCode('INVALID_BUNDLE'),
    );
  });

  test('a disposed encoder refuses work', async () => {
    const encoder = await TextEncoder.load(await Bundle.open(TINY_BUNDLE), { sessions: 1 });
    await encoder.dispose();

    await expect(encoder.encode(['late'])).rejects.toMatchObject(withCode('ENCODER_UNAVAILABLE'));
  });
});
