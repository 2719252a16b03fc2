import { readdir, readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { rootPath } from '../support/bundles.ts';

test('every command of the command line stands in the table of README.md', async () => {
  const files = await readdir(rootPath('bin/commands'));
  const sources = await Promise.all(
    files.map((file) => readFile(rootPath(`bin/commands/${file}`), 'utf8')),
  );
  const commands = sources.flatMap((source) =>
    Array.from(source.matchAll(/program\s*\.command\('([a-z-]+)'\)/g), ([, name]) => name),
  );
  const readme = await readFile(rootPath('README.md'), 'utf8');
  const named = Array.from(readme.matchAll(/^\| `([a-z-]+)\b/gm), ([, name]) => name);

  expect(commands).toEqual(expect.arrayContaining(['start', 'job', 'key']));
  expect([...new Set(named)].sort()).toEqual(commands.sort());
});
