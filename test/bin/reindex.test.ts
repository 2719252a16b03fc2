import { beforeAll, expect, test } from '@jest/globals';
import { join } from 'node:path';
import { Bundle } from '../../models/bundle.ts';
import { SAMPLE_PHOTOS, temporaryFolder, TINY_BUNDLE } from '../support/bundles.ts';
import { sharelock } from '../support/command-line.ts';
import { useEmptyDatabase } from '../support/database.ts';

let env: Record<string, string>;

beforeAll(async () => {
  const DATA_DIR = await temporaryFolder();
  env = { DATA_DIR, DATABASE_URL: await useEmptyDatabase(), MODEL_BUNDLE: TINY_BUNDLE };
  await run('index', SAMPLE_PHOTOS, '--collection', 'c', '--source', 's');
  await run('bundle', 'narrow', '--dimensions', '8', '--out', join(DATA_DIR, 'bundles', 'n8'));
}, 120_000);

async function run(...args: readonly string[]) {
  const ended = await sharelock(args, { env });
  return { ...ended, output: `${ended.stdout}${ended.stderr}` };
}

test('a collection moves into another vision space and back', async () => {
  const { DATA_DIR = '' } = env;
  const { manifest } = await Bundle.open(join(DATA_DIR, 'bundles', 'n8'));
  const space = manifest.vision.name;
  const reindex = ['reindex', '--collection', 'c', '--vision-space', space];

  const dry = await run(...reindex, '--dry-run', '--json');
  expect(JSON.parse(dry.stdout)).toMatchObject({ state: 'PLANNED', plan: { toEmbed: 119 } });
  const done = await run(...reindex, '--canary', 'a bird', '--json');
  expect(JSON.parse(done.stdout)).toMatchObject({ state: 'SUCCEEDED', result: { embedded: 119 } });
  const listed = await run('generations', '--collection', 'c', '--json');
  expect(JSON.parse(listed.stdout)).toMatchObject([
    { number: 2, state: 'READY', visionSpace: space, images: 119 },
    { number: 1, state: 'LIVE' },
  ]);
  const promoted = await run('promote', '--collection', 'c');
  expect(promoted.stdout).toBe('Generation 2 of c is live.\n');
  expect((await run('search', 'a bird', '--collection', 'c', '--json')).code).toBe(0);
  const back = await run('rollback', '--collection', 'c');
  expect(back.stdout).toBe('Generation 1 of c is live again.\n');
  expect((await run('discard', '--collection', 'c', '--generation', '2')).code).toBe(0);
  const verified = await run('verify', '--collection', 'c', '--sample', '3');
  expect(verified.code).toBe(0);
  expect((await run('generations', '--collection', 'c')).stdout).toMatch(/^2 +discarded/m);
}, 180_000);

test('what can not be done is said, and ends with 1', async () => {
  for (const args of [
    ['reindex', '--collection', 'c', '--vision-space', 'nowhere'],
    ['reindex', '--collection', 'nowhere'],
    ['promote', '--collection', 'c'],
    ['promote', '--collection', 'c', '--generation', '1'],
    ['rollback', '--collection', 'c'],
    ['discard', '--collection', 'c', '--generation', '1'],
    ['discard', '--collection', 'c', '--generation', '9'],
  ]) {
    const { code, stderr } = await run(...args);
    expect([args, code, stderr.split('\n').length]).toEqual([args, 1, 2]);
  }
});
