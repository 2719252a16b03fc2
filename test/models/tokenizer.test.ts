import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { Bundle } from '../../models/bundle.ts';
import { prepareText, Tokenizer } from '../../models/tokenizer.ts';
import { DEFAULT_BUNDLE, rootPath } from '../support/bundles.ts';
import { withCode } from '../support/errors.ts';

let tokenizer: Tokenizer;
beforeAll(async () => {
  tokenizer = await Tokenizer.load(await Bundle.open(DEFAULT_BUNDLE));
});

test('2,000 captions and 500 nasty strings get the reference tokenizer’s ids', async () => {
  const content = gunzipSync(await readFile(rootPath('test/fixtures/references/tokens.json.gz')));
  const rows = JSON.parse(content.toString('utf8')) as { text: string; ids: number[] }[];

  const wrong = rows.filter(({ text, ids }) => tokenizer.encodeRaw(text).join() !== ids.join());

  expect(rows).toHaveLength(2500);
  expect(wrong).toEqual([]);
});

describe('a text is prepared as the bundle says:', () => {
  const text = { foldWhitespace: true, cutTrailing: '.', suffix: '.' };

  test.each([
    ['A dog  runs .', 'A dog runs.'],
    ['  two\n\tlines ', 'two lines.'],
    ['wait ...', 'wait.'],
    ['why?', 'why?.'],
    ['...', '...'],
  ])('%j is read as %j', (given, read) => {
    expect(prepareText(given, text)).toBe(read);
  });

  test('settings that ask for nothing change nothing', () => {
    const raw = { foldWhitespace: false, cutTrailing: '', suffix: '' };

    expect(prepareText(' a  b. ', raw)).toBe(' a  b. ');
  });
});

test.each([[''], [' '], ['\n\t'], ['\u200b'], ['\u0000']])('%j is refused as empty', (text) => {
  expect(() => tokenizer.encode(text)).toThrow(expect.objectContaining(withCode('EMPTY_TEXT')));
});

test('a text past the limit is cut there and says so', () => {
  const short = tokenizer.encode('a dog');
  const long = tokenizer.encode('a dog '.repeat(1000));

  expect(short.isTruncated).toBe(false);
  expect(long.isTruncated).toBe(true);
  expect(long.ids).toHaveLength(128);
  expect(long.ids).toEqual(tokenizer.encodeRaw('a dog '.repeat(100)).slice(0, 128));
});

test('a million characters without a space take no longer than a text may', () => {
  const started = performance.now();

  const { isTruncated } = tokenizer.encode('x'.repeat(1_000_000));

  expect(isTruncated).toBe(true);
  expect(performance.now() - started).toBeLessThan(5000); // quadratic work would take minutes
});
