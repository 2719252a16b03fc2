import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { BUILT_INS, putBuiltIns } from '../../../indexer/tagging/built-in.ts';
import { readJson, writeJson } from '../../../indexer/tagging/vocabulary-formats/json.ts';
import { checkLabels } from '../../../indexer/tagging/vocabulary-input.ts';
import { Bundle } from '../../../models/bundle.ts';
import { putVocabulary } from '../../../store/put-vocabulary.ts';
import { getVocabulary, listVersions, listVocabularies } from '../../../store/vocabularies.ts';
import { DEFAULT_BUNDLE } from '../../support/bundles.ts';
import { openDatabase, useEmptyDatabase } from '../../support/database.ts';
import { NOON } from '../../support/rows.ts';
import { migrate } from '../../../store/migrate.ts';

const NAMES = ['animals', 'everyday', 'imagenet-1k'];

describe.each(NAMES)('%s', (name) => {
  const read = async () => readJson(await readFile(join(BUILT_INS, `${name}.json`), 'utf8'));

  test('is a vocabulary as it may be stored, of its file’s name', async () => {
    const written = await read();

    expect(written.name).toBe(name);
    expect(checkLabels(written.labels)).toEqual(written.labels);
    expect(readJson(writeJson(written))).toEqual(written);
  });

  test('can be said: "a" and "an" are right in every prompt, and in the templates around the name', async () => {
    const { labels } = await read();
    const { templates } = (await Bundle.open(DEFAULT_BUNDLE)).manifest;

    const texts = labels.flatMap(({ name: label, prompts }) =>
      prompts.length > 0 ? prompts : templates.map((template) => template.replace('{}', label)),
    );

    expect(texts.filter(isWronglySaid)).toEqual([]);
  });
});

/** Words that begin otherwise than they are spelled. */
const LIKE_CONSONANTS = /^(uni|use|uke|euro|ewe|one)/i;
const LIKE_VOWELS = /^(hour|honest)/i;

function isWronglySaid(text: string): boolean {
  return [...text.matchAll(/\b(an?) ([\p{L}\p{N}]+)/giu)].some(([, article = '', word = '']) => {
    const vowel = /^[aeiou]/i.test(word) ? !LIKE_CONSONANTS.test(word) : LIKE_VOWELS.test(word);
    return vowel !== (article.toLowerCase() === 'an');
  });
}

const temporary: string[] = [];
afterAll(() => Promise.all(temporary.map((folder) => rm(folder, { recursive: true }))));

async function newPool() {
  const { pool } = await openDatabase(await useEmptyDatabase());
  await migrate(pool);
  return pool;
}

async function folderWith(labels: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'vocabularies '));
  temporary.push(folder);
  await writeFile(
    join(folder, 'shipped.json'),
    `{ "description": "Theirs.", "labels": ${labels} }`,
  );
  return folder;
}

describe('at start', () => {
  test('they are put once, by several processes at once, and then little is to do', async () => {
    const pool = await newPool();

    await Promise.all([1, 2, 3].map(() => putBuiltIns(pool, NOON)));
    const startedAt = performance.now();
    await putBuiltIns(pool, NOON);
    const milliseconds = performance.now() - startedAt;

    const found = await listVocabularies(pool, { after: null, limit: 10 });
    expect(found.map(({ name, version }) => [name, version])).toEqual(
      NAMES.map((name) => [name, 1]),
    );
    expect((await readdir(BUILT_INS)).filter((file) => file.endsWith('.json'))).toHaveLength(3);
    expect(milliseconds).toBeLessThan(1000); // a loaded machine; 100 on a free one
  });

  test('a file that changed makes another version, unless somebody changed the vocabulary', async () => {
    const pool = await newPool();
    await putBuiltIns(pool, NOON, await folderWith('["a"]'));
    await putBuiltIns(pool, NOON, await folderWith('["a", "b"]'));
    const { id } = await getVocabulary(pool, 'shipped');
    await putBuiltIns(pool, NOON, await folderWith('["a", { "name": "b" }]')); // says the same
    expect(await listVersions(pool, id)).toMatchObject([{ labelCount: 2 }, { labelCount: 1 }]);
    await putVocabulary(pool, {
      ...{ name: 'shipped', description: 'Mine.', ifVersion: null, createdBy: 'me', now: NOON },
      labels: [{ ...NOTHING, name: 'mine' }],
    });

    await putBuiltIns(pool, NOON, await folderWith('["a", "b", "c"]'));

    const after = await getVocabulary(pool, 'shipped');
    expect(after).toMatchObject({ version: 3, description: 'Mine.' });
  });
});

const NOTHING = {
  ...{ prompts: [], negativePrompts: [], exampleImageIds: [], threshold: null, parents: [] },
};
