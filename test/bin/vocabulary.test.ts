import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { temporaryFolder } from '../support/bundles.ts';
import { expectOneLine, sharelock, type CommandResult } from '../support/command-line.ts';
import { useEmptyDatabase } from '../support/database.ts';

const folder = await temporaryFolder();
const env = {
  DATABASE_URL: await useEmptyDatabase(),
  DATA_DIR: await temporaryFolder(),
  ...{ MODEL_BUNDLE: '', MEDIA_ROOTS: '' },
};

const run = (...args: readonly string[]): Promise<CommandResult> =>
  sharelock(['vocabulary', ...args], { env });

test('list and show tell what there is', async () => {
  const listed = await run('list');
  const shown = await run('show', 'animals');

  expect(listed.stdout).toMatch(/^vocabulary +version +labels/);
  expect(listed.stdout).toMatch(/^imagenet-1k +1 +1000 /m);
  expect(shown.stdout).toMatch(/^poodle +dog/m);
  expectOneLine(await run('show', 'nothing'), 1, /"nothing".*\[NOT_FOUND\]/);
});

test('import makes versions, and export writes what import takes', async () => {
  const [list, csv, skos] = ['fruits.txt', 'out.csv', 'out.jsonld'].map((name) =>
    join(folder, name),
  );
  await writeFile(list ?? '', 'apple\npear\n');

  const first = await run('import', list ?? '', '--json');
  const again = await run('import', list ?? '');
  await run('export', 'fruits', '--out', csv ?? '');
  await run('export', 'fruits', '--out', skos ?? '');
  const same = await run('import', skos ?? '', '--json');
  await writeFile(csv ?? '', `${await readFile(csv ?? '', 'utf8')}plum,a plum,,,0.5,\r\n`);
  const more = await run('import', csv ?? '', '--name', 'fruits', '--json');
  const printed = await run('export', 'fruits', '--version', '1', '--format', 'json');

  expect(JSON.parse(first.stdout)).toEqual({
    ...{ name: 'fruits', version: 1, labels: 2, changed: true },
  });
  expect(again.stderr).toContain('already');
  expect(JSON.parse(same.stdout)).toMatchObject({ name: 'fruits', version: 1, changed: false });
  expect(JSON.parse(more.stdout)).toMatchObject({ version: 2, labels: 3, changed: true });
  expect(JSON.parse(printed.stdout)).toMatchObject({
    labels: [{ name: 'apple' }, { name: 'pear' }],
  });
});

test('wrong use says what would have worked', async () => {
  const file = join(folder, 'twice.csv');
  await writeFile(file, 'a\nb\nA\n');

  expectOneLine(await run('import', file), 1, /Labels 1 .* and 3 .*\[BAD_USER_INPUT\]/);
  expectOneLine(await run('import', join(folder, 'none.csv')), 1, /none\.csv/);
  expectOneLine(await run('import', folder), 1, /--format csv, json or skos/);
  expectOneLine(await run('export', 'animals', '--format', 'xml'), 2, /csv, json or skos/);
  expectOneLine(await run('export', 'animals', '--version', '7'), 1, /versions 1 to 1/);
});
