import { beforeAll, expect, test } from '@jest/globals';
import { SAMPLE_PHOTOS, temporaryFolder, TINY_BUNDLE } from '../support/bundles.ts';
import { sharelock } from '../support/command-line.ts';
import { openDatabase, useEmptyDatabase } from '../support/database.ts';
import { newVocabulary } from '../support/tagging.ts';

let env: Record<string, string>;

beforeAll(async () => {
  const url = await useEmptyDatabase();
  env = { DATA_DIR: await temporaryFolder(), DATABASE_URL: url, MODEL_BUNDLE: TINY_BUNDLE };
  await run('index', SAMPLE_PHOTOS, '--collection', 'c', '--source', 's');
  await newVocabulary(await openDatabase(url), ['dog', 'cat', 'boat', 'tree'], 'things');
}, 120_000);

async function run(...args: readonly string[]) {
  const ended = await sharelock(args, { env });
  return { ...ended, output: `${ended.stdout}${ended.stderr}` };
}

const TAG = ['tag', '--collection', 'c', '--vocabulary', 'things', '--min-tags', '1'];

interface Counted {
  readonly run: string | null;
  readonly images: number;
  readonly tagged: number;
  readonly tags: number;
  readonly labels: readonly { readonly label: string; readonly count: number }[];
}

test('a collection is tagged as its preview says, and the run is taken back', async () => {
  const preview = await run(...TAG, '--preview', '--json');
  const done = await run(...TAG, '--json');

  const [before, after] = [preview, done].map(({ stdout }) => JSON.parse(stdout) as Counted);
  expect(before).toMatchObject({ run: null, images: 119, tagged: 119 });
  for (const key of ['images', 'tagged', 'tags'] as const) expect(after?.[key]).toBe(before?.[key]);
  const counts = (one?: Counted): readonly string[] =>
    (one?.labels ?? []).map(({ label, count }) => `${label} ${count}`).sort();
  expect(counts(after)).toEqual(counts(before));
  const id = after?.run ?? '';
  const listed = await run('tags', 'runs', '--collection', 'c', '--vocabulary', 'things', '--json');
  expect(JSON.parse(listed.stdout)).toMatchObject([{ id, state: 'applied', images: 119 }]);

  const reverted = await run('tags', 'revert', id);

  expect(reverted.stdout).toBe(`The run's ${after?.tags} tags are gone.\n`);
  expect((await run('tags', 'runs', '--collection', 'c')).stdout).toMatch(/reverted +things 1/);
});

test('it prints a table, and how to take it back', async () => {
  const { stdout, stderr, code } = await run(...TAG, '--max-tags', '2', '--min-probability', '0.4');

  expect(code).toBe(0);
  expect(stdout).toMatch(/^119 of 119 images got \d+ tags\.\nlabel +images\n/);
  expect(stderr).toMatch(/bin\/sharelock tags revert [0-9a-f-]{36}\n$/);
});

test('what can not be done is said, and ends with 1 or 2', async () => {
  const nothing = '00000000-0000-4000-8000-000000000000';
  for (const [args, expected] of [
    [['tag', '--collection', 'nowhere', '--vocabulary', 'things'], 1],
    [['tag', '--collection', 'c', '--vocabulary', 'nothing'], 1],
    [[...TAG, '--max-tags', '101'], 1],
    [[...TAG, '--min-probability', '2'], 2],
    [['tags', 'revert', nothing], 1],
    [['tags', 'runs', '--collection', 'nowhere'], 1],
  ] as const) {
    const { code, stderr } = await run(...args);
    expect([args, code]).toEqual([args, expected]);
    expect(stderr).not.toBe('');
  }
});
