import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { temporaryFolder, TINY_BUNDLE } from '../support/bundles.ts';
import { expectOneLine, sharelock } from '../support/command-line.ts';
import { plain, RED, writeColourDataset } from '../support/images.ts';

const TINY = ['--bundle', TINY_BUNDLE];

describe('evaluate', () => {
  test('prints recall in percent as JSON, and a picture beside it', async () => {
    const dataset = await temporaryFolder();
    await writeColourDataset(dataset, { dev: 12 });
    const plot = join(dataset, 'recall.svg');

    const { code, stdout } = await sharelock(
      ['evaluate', '--dataset', '.', '--split', 'dev', '--plot', plot, '--json', ...TINY],
      { cwd: dataset },
    );

    expect(code).toBe(0);
    const report = JSON.parse(stdout) as Record<string, Record<string, number>>;
    for (const direction of ['textToImage', 'imageToText']) {
      for (const key of ['r1', 'r5', 'r10', 'medianRank']) {
        expect(report[direction]?.[key]).toEqual(expect.any(Number));
      }
    }
    expect(await readFile(plot, 'utf8')).toMatch(/^<svg/);
  });

  test('prints a table for people', async () => {
    const dataset = await temporaryFolder();
    await writeColourDataset(dataset, { dev: 12 });

    const { stdout } = await sharelock(['evaluate', '--dataset', dataset, ...TINY]);

    expect(stdout).toMatch(/12 photos, 24 captions/);
    expect(stdout).toMatch(/text → image +\d+\.\d \(\d+\.\d–\d+\.\d\)/);
  });

  test('measures zero-shot classification over class folders', async () => {
    const folder = await temporaryFolder();
    for (const name of ['one', 'two_three']) {
      await mkdir(join(folder, name));
      for (const file of ['1.png', '2.png'])
        await plain(RED)
          .png()
          .toFile(join(folder, name, file));
    }

    const { stdout } = await sharelock([
      'evaluate',
      '--classes',
      folder,
      '--limit-per-class',
      '1',
      '--json',
      ...TINY,
    ]);

    expect(JSON.parse(stdout)).toMatchObject({
      top1: expect.any(Number),
      top5: 100,
      meanPerClass: expect.any(Number),
      images: 2,
      classes: 2,
    });
  });

  test('a dataset that is not there is refused with what would have worked', async () => {
    const folder = await temporaryFolder();

    expectOneLine(
      await sharelock(['evaluate', '--dataset', folder, ...TINY]),
      1,
      /has no captions\.jsonl/,
    );
  });
});

test('a plot that can not be written is told before the work', async () => {
  const dataset = await temporaryFolder();
  await writeColourDataset(dataset, { dev: 2 });
  const args = [
    'evaluate',
    '--dataset',
    dataset,
    '--plot',
    join(dataset, 'gone', 'x.svg'),
    ...TINY,
  ];

  expectOneLine(await sharelock(args), 1, /--plot .*\[BAD_USER_INPUT\]/);
});
