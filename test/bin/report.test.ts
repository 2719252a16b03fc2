import { beforeAll, expect, test } from '@jest/globals';
import { mkdir, cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SAMPLE_PHOTOS, temporaryFolder, TINY_BUNDLE } from '../support/bundles.ts';
import { expectOneLine, sharelock } from '../support/command-line.ts';
import { openDatabase, useEmptyDatabase } from '../support/database.ts';
import { newVocabulary } from '../support/tagging.ts';

let env: Record<string, string>;

const run = (...args: readonly string[]) => sharelock(args, { env });

beforeAll(async () => {
  const folder = await temporaryFolder();
  const photos = join(folder, 'photos');
  await mkdir(photos);
  for (const name of ['koala', 'panda', 'coffee', 'rocket'])
    await cp(join(SAMPLE_PHOTOS, `${name}.jpg`), join(photos, `${name}.jpg`));
  const url = await useEmptyDatabase();
  env = { DATA_DIR: folder, DATABASE_URL: url, MODEL_BUNDLE: TINY_BUNDLE };
  await run('index', photos, '--collection', 'c');
  const database = await openDatabase(url);
  await newVocabulary(database, ['bear', '<b>"drink"'], 'things');
  await run(...['tag', '--collection', 'c', '--vocabulary', 'things', '--min-probability', '0']);
  await database.pool.query(
    `INSERT INTO tag_decisions (image_id, label_id, verdict, is_manual, is_sampled, decided_by, decided_at)
     SELECT i.id, l.id, (CASE WHEN i.path ~ 'koala|panda' THEN 'ACCEPTED' ELSE 'REJECTED' END)::verdict, false, true, 'me', now()
     FROM images i, labels l WHERE l.name = 'bear'`,
  );
}, 120_000);

test('a report is printed as text, JSON and CSV', async () => {
  const [text, json, csv] = [
    await run('report', '--collection', 'c'),
    await run('report', '--collection', 'c', '--format', 'json'),
    await run('report', '--collection', 'c', '--vocabulary', 'things', '--format', 'csv'),
  ];

  expect(text.stdout).toContain('8 tags of 4 images with things (version 1)');
  expect(text.stdout).toMatch(/^bear +4 +0\.00 +2\+ 2- +50 % \(50–50\)/m);
  expect(JSON.parse(json.stdout)).toMatchObject({ collection: 'c', images: 4, tags: 8 });
  expect(csv.stdout.split('\r\n')).toHaveLength(4);
  expect(csv.stdout).toContain('"<b>""drink"""');
});

test('a report is written as a page that fetches nothing and trusts no name', async () => {
  const file = join(env['DATA_DIR'] ?? '', 'report.html');

  const { code } = await run('report', '--collection', 'c', '--format', 'html', '--out', file);

  const page = await readFile(file, 'utf8');
  expect(code).toBe(0);
  expect(page).toMatch(/^<!doctype html>/);
  expect(page).toContain('<svg role="img" aria-label="bear"');
  expect(page).not.toContain('<b>');
  expect(page).not.toMatch(/<script|<link|\b(src|href)=/);
});

test('what can not be reported is said', async () => {
  await writeFile(join(env['DATA_DIR'] ?? '', 'file'), '');

  expectOneLine(await run('report', '--collection', 'nowhere'), 1, /no collection "nowhere"/);
  expectOneLine(await run('report', '--collection', 'c', '--vocabulary', 'x'), 1, /"x"/);
  const below = join(env['DATA_DIR'] ?? '', 'file', 'x');
  expectOneLine(await run('report', '--collection', 'c', '--out', below), 1, /--out/);
});
