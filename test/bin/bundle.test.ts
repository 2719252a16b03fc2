import { readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from '@jest/globals';
import { copyTinyBundle, editManifest, temporaryFolder } from '../support/bundles.ts';
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
