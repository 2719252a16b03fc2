import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Bundle } from '../../../models/bundle.ts';
import { ratioInterval } from '../../../models/evaluate/bootstrap.ts';
import { median, recallAt, retrievalRanks } from '../../../models/evaluate/ranks.ts';
import { plotRecall } from '../../../models/evaluate/recall-plot.ts';
import { evaluateRetrieval, type Encoders } from '../../../models/evaluate/retrieval.ts';
import { evaluateZeroShot } from '../../../models/evaluate/zero-shot.ts';
import { ImageEncoder } from '../../../models/image-encoder.ts';
import { Similarity } from '../../../models/similarity.ts';
import { TextEncoder } from '../../../models/text-encoder.ts';
import { Random } from '../../../platform/random.ts';
import { temporaryFolder, TINY_BUNDLE } from '../../support/bundles.ts';
import { withCode } from '../../support/errors.ts';
import { plain, writeColourDataset } from '../../support/images.ts';

let similarity: Similarity;
beforeAll(async () => {
  similarity = await Similarity.load(3, 1);
});
afterAll(() => similarity.dispose());

describe('ranks', () => {
  test('equal a count over all pairs, in both directions', async () => {
    const random = new Random('ranks');
    const matrix = (rows: number): Float32Array =>
      Float32Array.from({ length: rows * 3 }, () => random.normal());
    const [captions, images] = [matrix(1500), matrix(40)];
    const imageOf = Int32Array.from({ length: 1500 }, (_, i) => (i * 7) % 40);
    const score = (caption: number, image: number): number =>
      [0, 1, 2].reduce(
        (sum, i) => sum + (captions[caption * 3 + i] ?? 0) * (images[image * 3 + i] ?? 0),
        0,
      );

    const ranks = await retrievalRanks(similarity, 3, captions, images, imageOf);

    const expectedText = [...imageOf].map(
      (own, caption) =>
        [...Array(40).keys()].filter((image) => score(caption, image) >= score(caption, own) - 1e-6)
          .length,
    );
    const own = (image: number): number[] =>
      [...imageOf.keys()].filter((caption) => imageOf[caption] === image);
    const expectedImage = [...Array(40).keys()].map((image) => {
      const best = Math.max(...own(image).map((caption) => score(caption, image)));
      return (
        1 +
        [...imageOf.keys()].filter((c) => imageOf[c] !== image && score(c, image) >= best - 1e-6)
          .length
      );
    });
    expect([...ranks.textToImage]).toEqual(expectedText);
    expect([...ranks.imageToText]).toEqual(expectedImage);
  });

  test('a model that gives everything the same score ranks last, not first', async () => {
    const same = new Float32Array(10 * 3).fill(1);

    const ranks = await retrievalRanks(
      similarity,
      3,
      same,
      same,
      Int32Array.from(Array(10).keys()),
    );

    expect(new Set(ranks.textToImage)).toEqual(new Set([10]));
    expect(new Set(ranks.imageToText)).toEqual(new Set([10]));
  });

  test('recall counts ranks within k; the median of an even count lies between', () => {
    expect(recallAt(Int32Array.of(1, 2, 11, 5), 5)).toBe(75);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(median([9, 1, 3])).toBe(3);
  });
});

test('the 95 % interval of a share is about two standard errors to each side', () => {
  const hits = Array.from({ length: 400 }, (_, i) => (i % 4 === 0 ? 1 : 0));

  const [low, high] = ratioInterval(
    hits,
    hits.map(() => 1),
  );

  const error = 100 * Math.sqrt((0.25 * 0.75) / 400);
  expect(low).toBeGreaterThan(25 - 2.5 * error);
  expect(low).toBeLessThan(25 - 1.5 * error);
  expect(high).toBeGreaterThan(25 + 1.5 * error);
  expect(high).toBeLessThan(25 + 2.5 * error);
});

describe('with a bundle', () => {
  let encoders: Encoders & { readonly images: ImageEncoder; readonly texts: TextEncoder };
  beforeAll(async () => {
    const bundle = await Bundle.open(TINY_BUNDLE);
    const [images, texts] = await Promise.all([
      ImageEncoder.load(bundle, { sessions: 1 }),
      TextEncoder.load(bundle, { sessions: 1 }),
    ]);
    encoders = { images, texts };
  });
  afterAll(async () => {
    await encoders.images.dispose();
    await encoders.texts.dispose();
  });

  test('retrieval over a dataset gives numbers, intervals, a curve and a picture', async () => {
    const folder = await temporaryFolder();
    await writeColourDataset(folder, { dev: 30, train: 3 });

    const report = await evaluateRetrieval(folder, 'dev', encoders);

    expect(report).toMatchObject({ images: 30, captions: 60, skipped: [] });
    for (const { r1, r5, r10, medianRank, interval, curve } of [
      report.textToImage,
      report.imageToText,
    ]) {
      expect(r1).toBeLessThanOrEqual(r5);
      expect(r5).toBeLessThanOrEqual(r10);
      expect(medianRank).toBeGreaterThanOrEqual(1);
      expect(interval.r10[0]).toBeLessThanOrEqual(r10);
      expect(interval.r10[1]).toBeGreaterThanOrEqual(r10);
      expect(curve.find(({ k }) => k === 10)?.recall).toBe(r10);
    }
    const picture = plotRecall(report, 'A <b> & C');
    expect(picture).toContain('A &lt;b&gt; &amp; C');
    expect(picture).toContain(`>${report.textToImage.r10.toFixed(1)}<`);
  });

  test('a photo that can not be read is left out and named', async () => {
    const folder = await temporaryFolder();
    await writeColourDataset(folder, { dev: 5 });
    await writeFile(join(folder, 'dev-2.png'), 'broken');

    const report = await evaluateRetrieval(folder, 'dev', encoders);

    expect(report.images).toBe(4);
    expect(report.captions).toBe(8);
    expect(report.skipped).toMatchObject([{ path: join(folder, 'dev-2.png') }]);
  });

  test('zero-shot over class folders counts classes and photos', async () => {
    const folder = await temporaryFolder();
    for (const [name, red] of [
      ['dark_red', 90],
      ['light-red', 240],
    ] as const) {
      await mkdir(join(folder, name));
      for (const file of ['1.png', '2.png', '3.png']) {
        await plain({ r: red, g: 0, b: 0 })
          .png()
          .toFile(join(folder, name, file));
      }
    }

    const report = await evaluateZeroShot(folder, 2, encoders);

    expect(report).toMatchObject({ images: 4, classes: 2, top5: 100, skipped: [] });
    expect(report.perClass.map(({ name }) => name)).toEqual(['dark red', 'light red']);
    const shares = report.perClass.map(({ top1 }) => top1);
    expect(report.meanPerClass).toBeCloseTo(((shares[0] ?? 0) + (shares[1] ?? 0)) / 2);
    expect(report.top1).toBeCloseTo(report.meanPerClass); // as many photos of each
  });

  test('a dataset of which nothing can be read is refused', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'captions.jsonl'), '{"image":"gone.jpg","captions":["x"]}');

    await expect(evaluateRetrieval(folder, 'all', encoders)).rejects.toMatchObject(
      withCode('INVALID_DATASET'),
    );
  });
});
