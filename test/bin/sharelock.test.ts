import { mkdir, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import {
  copyTinyBundle,
  editManifest,
  rootPath,
  temporaryFolder,
  TINY_BUNDLE,
} from '../support/bundles.ts';
import { sharelock, type CommandResult } from '../support/command-line.ts';
import { plain, RED, writeColourDataset } from '../support/images.ts';

const TINY = ['--bundle', TINY_BUNDLE];

/** Failed as it should: one line, the code in brackets, no stack trace, nothing on stdout. */
function expectOneLine(
  { code, stdout, stderr }: CommandResult,
  exitCode: number,
  message: RegExp,
): void {
  expect(stderr).toMatch(message);
  expect(stderr).not.toMatch(/^\s+at /m);
  expect(stdout).toBe('');
  expect(code).toBe(exitCode);
  if (exitCode === 1) expect(stderr.trimEnd().split('\n')).toHaveLength(1);
}

describe('help', () => {
  test.each([
    [[]],
    [['encode']],
    [['evaluate']],
    [['train']],
    [['bundle']],
    [['bundle', 'verify']],
    [['bundle', 'show']],
  ])('is there for %j', async (command) => {
    const { code, stdout } = await sharelock([...command, '--help']);

    expect(code).toBe(0);
    expect(stdout).toMatch(/^Usage: sharelock/);
  });
});

describe('wrong use exits with 2 and says what would have worked:', () => {
  test.each([
    [['frobnicate'], /unknown command 'frobnicate'/],
    [['encode'], /one of --text TEXT, --texts FILE and --image FILE/],
    [
      ['encode', '--text', 'a', '--image', 'b'],
      /one of --text TEXT, --texts FILE and --image FILE/,
    ],
    [['encode', '--txt', 'a'], /unknown option '--txt'/],
    [['evaluate'], /either --dataset DIR or --classes DIR/],
    [['evaluate', '--classes', 'x', '--plot', 'y'], /--plot goes with --dataset/],
    [['evaluate', '--classes', 'x', '--limit-per-class', 'some'], /whole number from 1/],
    [['train', '--dataset', 'x'], /required option '--out/],
  ])('%j', async (args, message) => {
    expectOneLine(await sharelock(args), 2, message);
  });
});

describe('encode', () => {
  interface Encoded {
    readonly embedding: number[];
    readonly dimensions: number;
    readonly visionSpace: string;
    readonly textModel: string;
  }
  const encode = async (...args: string[]): Promise<Encoded> => {
    const { stdout } = await sharelock(['encode', ...args, '--json', ...TINY]);
    return JSON.parse(stdout) as Encoded;
  };

  test('gives text and image embeddings of one space', async () => {
    const picture = join(await temporaryFolder(), 'red one.png');
    await plain(RED).png().toFile(picture);

    const [text, image] = await Promise.all([
      encode('--text', 'a parrot'),
      encode('--image', picture),
    ]);

    for (const { embedding, dimensions } of [text, image]) {
      expect(dimensions).toBe(16);
      expect(embedding).toHaveLength(16);
      expect(Math.hypot(...embedding)).toBeCloseTo(1, 4);
    }
    expect(image.visionSpace).toBe(text.visionSpace);
    expect(text.textModel).toMatch(/^[0-9a-f]{64}$/);
  });

  test('the same text gives the same bytes in two processes', async () => {
    const runs = [0, 1].map(() => sharelock(['encode', '--text', 'twice', '--json', ...TINY]));
    const [first, second] = await Promise.all(runs);

    expect(first?.stdout).toBe(second?.stdout);
  });

  test('many texts give a line each, and each the numbers it gets alone', async () => {
    const file = join(await temporaryFolder(), 'texts.txt');
    await writeFile(file, 'a red kite\nsomething much longer than a kite\r\ntwice\n');

    const { stdout } = await sharelock(['encode', '--texts', file, '--json', ...TINY]);
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Encoded);
    const alone = await encode('--text', 'twice');

    expect(lines).toHaveLength(3);
    const cosine = alone.embedding.reduce(
      (sum, value, i) => sum + value * (lines[2]?.embedding[i] ?? 0),
      0,
    );
    expect(cosine).toBeGreaterThan(0.9999);
  });

  test('a long text is cut and says so', async () => {
    const { code, stderr, stdout } = await sharelock([
      'encode',
      '--text',
      'x'.repeat(500),
      '--json',
      ...TINY,
    ]);

    expect(code).toBe(0);
    expect(stderr).toMatch(/cut after 64 tokens/);
    expect(JSON.parse(stdout)).toMatchObject({ truncated: true, tokens: 64 });
  });

  test('an empty text and a file that is no picture are refused in one line', async () => {
    expectOneLine(await sharelock(['encode', '--text', ' ', ...TINY]), 1, /\[EMPTY_TEXT\]/);
    expectOneLine(
      await sharelock(['encode', '--image', rootPath('package.json'), ...TINY]),
      1,
      /package\.json: The image can't be read.*\[IMAGE_UNREADABLE\]/,
    );
  });
});

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

test('a command line too long for the runtime is refused, not a crash', async () => {
  const text = 'x'.repeat(30_000);

  expectOneLine(
    await sharelock(['encode', '--text', text, ...TINY]),
    1,
    /--texts FILE.*\[BAD_USER_INPUT\]/,
  );
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

test('it works through a link, from a folder with spaces', async () => {
  const folder = join(await temporaryFolder(), 'a b');
  await mkdir(folder);
  const link = join(folder, 'share lock');
  await symlink(rootPath('bin/sharelock'), link);

  const { code, stdout } = await sharelock(['bundle', 'show', TINY_BUNDLE], {
    executable: link,
    cwd: folder,
  });

  expect(code).toBe(0);
  expect(stdout).toMatch(/tiny-random@1/);
});

test('MODEL_BUNDLE names the bundle', async () => {
  const { stdout } = await sharelock(['bundle', 'show'], { env: { MODEL_BUNDLE: TINY_BUNDLE } });

  expect(stdout).toMatch(/tiny-random@1/);
});
