import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { rootPath, temporaryFolder, TINY_BUNDLE } from '../support/bundles.ts';
import { expectOneLine, sharelock } from '../support/command-line.ts';

const TINY = ['--bundle', TINY_BUNDLE];

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

test('a command line too long for the runtime is refused, not a crash', async () => {
  const text = 'x'.repeat(30_000);

  expectOneLine(
    await sharelock(['encode', '--text', text, ...TINY]),
    1,
    /--texts FILE.*\[BAD_USER_INPUT\]/,
  );
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
