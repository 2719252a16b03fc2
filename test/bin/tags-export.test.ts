import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { temporaryFolder, TINY_BUNDLE } from '../support/bundles.ts';
import { expectOneLine, sharelock, type CommandResult } from '../support/command-line.ts';
import { useEmptyDatabase } from '../support/database.ts';
import { jpegWithXmp, xmpPacket } from '../support/photos.ts';

const env = {
  DATABASE_URL: await useEmptyDatabase(),
  DATA_DIR: await temporaryFolder(),
  ...{ MODEL_BUNDLE: TINY_BUNDLE, MEDIA_ROOTS: '' },
};
const photos = await temporaryFolder();

const run = (args: readonly string[], more = {}): Promise<CommandResult> =>
  sharelock(['tags', 'export', '--collection', 'photos', ...args], { env: { ...env, ...more } });

beforeAll(async () => {
  await writeFile(join(photos, 'a.jpg'), await jpegWithXmp(xmpPacket(['a, "b"', '東京', '=1+2'])));
  const { code } = await sharelock(['index', photos, '--collection', 'photos'], { env });
  expect(code).toBe(0);
});

describe('tags export', () => {
  test('writes a row a tag as CSV and JSON lines, to stdout or a file that is whole', async () => {
    const out = join(await temporaryFolder(), 'tags.jsonl');

    const csv = await run([]);
    const json = await run(['--format', 'jsonl', '--out', out]);

    const [head, ...rows] = csv.stdout.split('\r\n');
    expect(head).toMatch(/^path,vocabulary,label,source,state,/);
    expect(rows.map((row) => row.split(',IMPORTED')[0]?.replace(/^[^,]*,/, ''))).toEqual([
      "keywords,'=1+2",
      'keywords,"a, ""b"""',
      'keywords,東京',
      '',
    ]);
    expect(json).toMatchObject({ code: 0, stdout: '' });
    const lines = (await readFile(out, 'utf8')).trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { label: string }).label)).toEqual([
      '=1+2',
      'a, "b"',
      '東京',
    ]);
  });

  test('writes sidecars only where that is allowed', async () => {
    const xmp = ['--format', 'xmp'];

    expectOneLine(await run(xmp), 1, /XMP_SIDECARS=on.*\[FORBIDDEN\]/);
    expect((await run([...xmp, '--dry-run'])).stdout).toMatch(/: 1 sidecars would be written/);
    expect(await readdir(photos)).toEqual(['a.jpg']);
    const written = await run(xmp, { XMP_SIDECARS: 'on' });

    expect(written.stdout).toMatch(/: 1 sidecars written, 0 unchanged, 0 left out/);
    expect(await readdir(photos)).toEqual(['a.jpg', 'a.jpg.xmp']);
  });

  test('says what would have worked', async () => {
    expectOneLine(await run(['--vocabulary', 'none']), 1, /"none".*\[NOT_FOUND\]/);
    expectOneLine(await run(['--min-probability', '2']), 2, /from 0 to 1/);
    expectOneLine(await run(['--format', 'xml']), 2, /csv, jsonl, xmp/);
    expectOneLine(await run(['--dry-run']), 1, /--format xmp/);
  });
});
