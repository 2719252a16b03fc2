import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { makeFolder } from '../../platform/make-folder.ts';
import { temporaryFolder } from '../support/bundles.ts';
import { withCode } from '../support/errors.ts';

test('missing folders are made, those that are there stay', async () => {
  const path = join(await temporaryFolder(), 'a', 'b', 'c');

  await makeFolder(path);
  await makeFolder(path);

  expect((await stat(path)).isDirectory()).toBe(true);
});

test('many may make the same folder at once', async () => {
  for (let round = 0; round < 20; round++) {
    const path = join(await temporaryFolder(), 'a', 'b', 'c');

    await Promise.all(Array.from({ length: 20 }, (_, i) => makeFolder(join(path, `${i % 2}`))));

    expect((await stat(path)).isDirectory()).toBe(true);
  }
});

test('a place inside a file, and one where nothing can be made, are refused at once', async () => {
  const file = join(await temporaryFolder(), 'file');
  await writeFile(file, '');

  await expect(makeFolder(file)).rejects.toMatchObject(withCode('BAD_USER_INPUT'));
  await expect(makeFolder(join(file, 'x', 'y'))).rejects.toMatchObject(withCode('BAD_USER_INPUT'));
  if (process.platform === 'linux') {
    await expect(makeFolder('/proc/sharelock/x')).rejects.toMatchObject(withCode('BAD_USER_INPUT'));
  }
});
