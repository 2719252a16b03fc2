import { expect, test } from '@jest/globals';
import { resolve } from 'node:path';
import { parseConfig } from '../../indexer/config.ts';

test('nothing set: defaults', () => {
  expect(parseConfig({})).toMatchObject({
    ...{ dataFolder: resolve('data'), databaseUrl: null, mediaRoots: null, sessions: null },
    bundleFolder: expect.stringMatching(/models.bundles.default$/),
  });
});

test('an empty setting is one that is not set, and strange ones are left alone', () => {
  expect(parseConfig({ DATA_DIR: '', DATABASE_URL: '', MEDIA_ROOTS: '', PATH: '/bin' })).toEqual(
    parseConfig({}),
  );
});

test('roots are separated as in PATH and become absolute', () => {
  expect(parseConfig({ MEDIA_ROOTS: '/a::b' }).mediaRoots).toEqual(['/a', resolve('b')]);
});

test.each(['0', 'two', '1.5', '-1', '257'])('INDEXER_SESSIONS=%s is refused', (value) => {
  expect(() => parseConfig({ INDEXER_SESSIONS: value })).toThrow(
    expect.objectContaining({
      code: 'INVALID_CONFIG',
      message: expect.stringMatching(/INDEXER_SESSIONS/),
    }),
  );
});
