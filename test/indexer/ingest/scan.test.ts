import { describe, expect, test } from '@jest/globals';
import { link, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { scanFolder, type Scanned } from '../../../indexer/ingest/scan.ts';
import { temporaryFolder } from '../../support/bundles.ts';
import { fillHostileFolder } from '../../support/hostile-folder.ts';

async function scan(folder: string): Promise<{ entries: Scanned[]; ignored: number }> {
  const entries: Scanned[] = [];
  let ignored = 0;
  for await (const page of scanFolder(folder)) {
    entries.push(...page.entries);
    ignored += page.ignored;
  }
  return { entries, ignored };
}

function paths(entries: readonly Scanned[], kind: Scanned['kind']): string[] {
  return entries.flatMap((entry) => (entry.kind === kind ? [entry.path] : [])).sort();
}

describe('scanning', () => {
  test('finds what claims to be a picture, and refuses what is no file', async () => {
    const folder = await temporaryFolder();
    const { good, bad } = await fillHostileFolder(folder);

    const { entries, ignored } = await scan(folder);

    const refusals = [
      'pipe.jpg',
      'passwd.jpg',
      'outside',
      'bad\ufffd.jpg (bytes 626164ff2e6a7067)',
    ];
    const files = [...good, ...Object.keys(bad).filter((name) => !refusals.includes(name))];
    expect(paths(entries, 'file')).toEqual(files.sort());
    expect(paths(entries, 'refused')).toEqual(refusals.sort());
    expect(ignored).toBe(1); // notes.txt
  });

  test('sizes and times are exact to the nanosecond', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'a.jpg'), 'four');

    const [entry] = (await scan(folder)).entries;

    expect(entry).toMatchObject({ kind: 'file', bytes: 4 });
    expect(entry?.kind === 'file' && entry.mtimeNs > 1_700_000_000_000_000_000n).toBe(true);
  });

  test('a large folder comes in pages', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, '0.jpg'), 'x');
    for (let i = 1; i < 2500; i++) await link(join(folder, '0.jpg'), join(folder, `${i}.jpg`));
    const sizes: number[] = [];

    for await (const { entries } of scanFolder(folder)) sizes.push(entries.length);

    expect(sizes.reduce((a, b) => a + b)).toBe(2500);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(1000);
  });

  test('a path too long to be stored is refused, and told apart from others', async () => {
    const folder = await temporaryFolder();
    let deep = folder;
    for (let i = 0; i < 10; i++) {
      deep = join(deep, 'x'.repeat(200));
      await mkdir(deep);
    }
    for (const name of ['a.jpg', 'b.jpg']) await writeFile(join(deep, name), 'x');

    const { entries } = await scan(folder);

    expect(entries).toMatchObject([{ reason: 'NAME_TOO_LONG' }, { reason: 'NAME_TOO_LONG' }]);
    expect(new Set(paths(entries, 'refused')).size).toBe(2);
    expect(entries.every(({ path }) => path.length < 400)).toBe(true);
  });

  test('links to folders are not followed, also in circles', async () => {
    const folder = await temporaryFolder();
    await symlink(folder, join(folder, 'self'));
    await symlink(join(folder, 'nothing'), join(folder, 'dangling'));

    expect((await scan(folder)).entries).toMatchObject([{ path: 'self', reason: 'SYMLINK' }]);
  });

  test('a folder that is not there is an error of its own', async () => {
    const folder = await temporaryFolder();
    await rm(folder, { recursive: true });

    await expect(scan(folder)).rejects.toMatchObject({
      reason: 'SOURCE_UNREADABLE',
      message: "The source's folder can't be read (ENOENT).",
    });
  });
});
