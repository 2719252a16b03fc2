import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { rootPath, temporaryFolder, TINY_BUNDLE } from '../support/bundles.ts';
import { expectOneLine, sharelock } from '../support/command-line.ts';
import { plain, RED } from '../support/images.ts';

const TINY = ['--bundle', TINY_BUNDLE];

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
