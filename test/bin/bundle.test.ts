import { readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { Bundle } from '../../models/bundle.ts';
import { copyTinyBundle, editManifest, temporaryFolder, TINY_BUNDLE } from '../support/bundles.ts';
import { expectOneLine, sharelock } from '../support/command-line.ts';
import { writeColourDataset } from '../support/images.ts';

describe('a damaged bundle is refused in one line by every command:', () => {
  const damages: [string, (folder: string) => Promise<void>][] = [
    ['cut short', (folder) => truncate(join(folder, 'projector.onnx'), 1000)],
    ['missing file', (folder) => rm(join(folder, 'vision.onnx'))],
    [
      'another version',
      (folder) => editManifest(folder, (manifest) => ({ ...manifest, formatVersion: 99 })),
    ],
    [
      'flipped bit',
      async (folder) => {
        const path = join(folder, 'projector.onnx');
        const bytes = await readFile(path);
        bytes[500] = (bytes[500] ?? 0) ^ 0x10;
        await writeFile(path, bytes);
      },
    ],
  ];
  test.each(damages)('%s', async (_name, damage) => {
    const folder = await copyTinyBundle();
    await damage(folder);

    expectOneLine(await sharelock(['bundle', 'verify', folder]), 1, /\[INVALID_BUNDLE\]/);
    const dataset = await temporaryFolder();
    await writeColourDataset(dataset, { dev: 2 });
    expectOneLine(
      await sharelock(['evaluate', '--dataset', dataset, '--bundle', folder]),
      1,
      /\[INVALID_BUNDLE\]/,
    );
  });
});

describe('narrow', () => {
  test('writes a bundle that is whole and says what it wrote', async () => {
    const folder = await temporaryFolder();
    const args = ['bundle', 'narrow', '--dimensions', '8', '--bundle', TINY_BUNDLE];

    const told = await sharelock([...args, '--out', join(folder, 'a')]);
    const json = await sharelock([...args, '--out', 'b', '--name', 'b', '--json'], { cwd: folder });
    const verified = await sharelock(['bundle', 'verify', join(folder, 'a')]);

    const { manifest, visionSpace, textModel } = await Bundle.open(join(folder, 'b'));
    expect(told).toMatchObject({ code: 0, stderr: '' });
    expect(told.stdout).toContain('tiny-random-8@1, 8 of 16 dimensions');
    expect(told.stdout).toContain(visionSpace);
    expect(told.stdout).toContain(textModel);
    expect(JSON.parse(json.stdout)).toEqual({
      out: 'b',
      name: 'b',
      version: 1,
      dimensions: 8,
      visionSpace,
      textModel,
    });
    expect(manifest.name).toBe('b');
    expect(verified.stdout).toContain('tiny-random-8@1 is whole');
  });

  test('refuses what can’t be made in one line', async () => {
    const narrow = (...rest: string[]) =>
      sharelock(['bundle', 'narrow', '--bundle', TINY_BUNDLE, ...rest]);
    const out = ['--out', join(await temporaryFolder(), 'narrow')];

    const wide = await narrow('--dimensions', '16', ...out);
    const finished = await narrow('--dimensions', '8', '--out', TINY_BUNDLE);
    const word = await narrow('--dimensions', 'half', ...out);

    expectOneLine(wide, 1, /from 2 to 15: tiny-random has 16.*\[BAD_USER_INPUT\]/);
    expectOneLine(finished, 1, /already holds a finished bundle/);
    expectOneLine(word, 2, /whole number/);
  });
});
