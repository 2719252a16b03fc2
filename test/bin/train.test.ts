import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { temporaryFolder, TINY_BUNDLE } from '../support/bundles.ts';
import { expectOneLine, sharelock, type CommandResult } from '../support/command-line.ts';
import { writeColourDataset } from '../support/images.ts';

const TINY = ['--bundle', TINY_BUNDLE];

describe('train', () => {
  test('broken photos alike and empty captions are left out', async () => {
    const folder = await temporaryFolder();
    await writeColourDataset(folder, { train: 20, dev: 6 });
    for (const name of ['train-3.png', 'train-4.png']) await writeFile(join(folder, name), '');
    const lines = await readFile(join(folder, 'captions.jsonl'), 'utf8');
    await writeFile(join(folder, 'captions.jsonl'), lines.replace('number 5 of train .', ' '));

    const args = ['train', '--dataset', folder, '--out', join(folder, 'out'), ...settings];
    const { code, stderr } = await sharelock([...args, '--members', '1', '--steps', '25']);

    expect(stderr).toMatch(/left out .*train-3\.png/);
    expect(stderr).toMatch(/left out .*train-4\.png/);
    expect(code).toBe(0);
  });

  const settings = [
    '--steps',
    '50',
    '--members',
    '2',
    '--hidden',
    '16',
    '--batch-size',
    '16',
    ...TINY,
  ];

  test('writes a bundle that is whole and in the same vision space', async () => {
    const folder = await temporaryFolder();
    await writeColourDataset(folder, { train: 20, dev: 6 });
    const out = join(folder, 'new bundle');

    const trained = await sharelock([
      'train',
      '--dataset',
      folder,
      '--out',
      out,
      '--json',
      ...settings,
    ]);
    const verified = await sharelock(['bundle', 'verify', out]);
    const shown = await sharelock(['bundle', 'show', out, '--json']);
    const original = await sharelock(['bundle', 'show', TINY_BUNDLE, '--json']);
    const again = await sharelock(['train', '--dataset', folder, '--out', out, ...settings]);

    expect(trained.code).toBe(0);
    expect(JSON.parse(trained.stdout)).toMatchObject({
      dev: { textToImage: { r10: expect.any(Number) } },
    });
    expect(verified).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^tiny-random@2 is whole/),
    });
    interface Shown {
      fingerprints: { visionSpace: string; textModel: string };
    }
    const [a, b] = [shown, original].map(
      ({ stdout }) => (JSON.parse(stdout) as Shown).fingerprints,
    );
    expect(a?.visionSpace).toBe(b?.visionSpace);
    expect(a?.textModel).not.toBe(b?.textModel);
    expect(await readdir(out)).not.toContain('training');
    expectOneLine(again, 1, /already holds a finished bundle.*\[BAD_USER_INPUT\]/);
  });

  test('killed at any moment and started again it ends with the bytes of an unbroken run', async () => {
    const folder = await temporaryFolder();
    await writeColourDataset(folder, { train: 20, dev: 6 });
    const train = (out: string, killWhen?: RegExp): Promise<CommandResult> =>
      sharelock(['train', '--dataset', folder, '--out', join(folder, out), ...settings], {
        onStderr: (child, text) => {
          if (killWhen?.test(text)) child.kill('SIGKILL');
        },
      });

    await train('whole');
    const kills = [
      /photo features: /,
      /caption features: /,
      /member 1, step 25: /,
      /member 2, step 25: /,
    ];
    for (const moment of kills) expect((await train('broken', moment)).code).toBe(null);
    const resumed = await train('broken');

    expect(resumed.code).toBe(0);
    expect(resumed.stderr).not.toMatch(/photo features|member 1, step 25:/); // done before, not done again
    const [a, b] = await Promise.all(
      ['whole', 'broken'].map((out) => readFile(join(folder, out, 'projector.onnx'))),
    );
    expect(a && b && Buffer.compare(a, b)).toBe(0);
  });

  test('Ctrl-C stops it in one line and it goes on later', async () => {
    const folder = await temporaryFolder();
    await writeColourDataset(folder, { train: 20, dev: 6 });
    const args = ['train', '--dataset', folder, '--out', join(folder, 'out'), ...settings];

    let wasAsked = false;
    const stopped = await sharelock(args, {
      onStderr: (child, text) => {
        if (wasAsked || !text.includes('step 25: ')) return;
        wasAsked = true;
        child.kill('SIGINT');
      },
    });

    expect(stopped.code).toBe(130);
    expect(stopped.stderr).toMatch(/Stopped\.\n$/);
    expect((await sharelock(args)).code).toBe(0);
  });
});
