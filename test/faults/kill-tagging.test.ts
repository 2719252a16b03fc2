import { beforeAll, expect, test } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { createSearchableCollection, registerBundle } from '../../indexer/collections.ts';
import { Bundle } from '../../models/bundle.ts';
import { Random } from '../../platform/random.ts';
import type { CollectionRecord } from '../../store/collections.ts';
import { asJobId } from '../../store/ids.ts';
import { listTagRuns, type TagRunRecord } from '../../store/tag-runs.ts';
import { rootPath, TINY_BUNDLE } from '../support/bundles.ts';
import { useDatabase } from '../support/database.ts';
import { newRunner, useJobServices } from '../support/indexing.ts';
import { countRunTags, newVocabulary, tagged } from '../support/tagging.ts';
import { addVectorImages } from '../support/vector-images.ts';

const IMAGES = 24_000;
const random = new Random('kill tagging');

const database = await useDatabase();
const { pool } = database;
const services = await useJobServices(database);
const never = new AbortController().signal;
let collection: CollectionRecord;

beforeAll(async () => {
  const bundle = await Bundle.open(TINY_BUNDLE);
  const { visionSpace } = await registerBundle(database, bundle);
  collection = await createSearchableCollection(database, bundle, { name: 'killed' });
  const key = { collectionId: collection.id, visionSpaceId: visionSpace.id };
  await addVectorImages(database, key, { count: IMAGES, dimensions: visionSpace.dimensions });
  await newVocabulary(database, ['a', 'b', 'c', 'd', 'e'], 'letters');
});

/** A command of its own process, that may be killed. */
function command(...args: readonly string[]): ChildProcess {
  const env = { ...process.env, DATABASE_URL: database.url, MODEL_BUNDLE: TINY_BUNDLE };
  return spawn(rootPath('bin/sharelock'), args, { env, stdio: 'ignore' });
}

async function killed(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

async function newestRun(): Promise<TagRunRecord | null> {
  const filter = { collectionId: collection.id, vocabularyId: null };
  return (await listTagRuns(pool, filter, { after: null, limit: 1 }))[0] ?? null;
}

async function countShown(): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(
    'SELECT count(*)::int AS count FROM shown_run_tags',
  );
  return rows[0]?.count ?? 0;
}

/** Waits until it is so, or the process ended by itself. */
async function until(child: ChildProcess, isSo: () => Promise<boolean>): Promise<void> {
  while (child.exitCode === null && !(await isSo())) await pause(5);
}

/** Finishes the open jobs, as any worker would that comes after a dead one. */
async function goOn(): Promise<void> {
  const { rows } = await pool.query<{ id: string }>(
    `SELECT id FROM jobs WHERE state IN ('PLANNED', 'QUEUED', 'RUNNING') ORDER BY created_at`,
  );
  for (const { id } of rows) await newRunner(services).runJob(asJobId(id), never);
}

test('a worker that is killed while it tags leaves nothing to see, and another finishes it', async () => {
  const args = ['tag', '--collection', 'killed', '--vocabulary', 'letters', '--min-tags', '2'];
  for (let round = 0; round < 3; round++) {
    const before = await countShown();
    const last = (await newestRun())?.id;
    const child = command(...args);
    const most = random.below(IMAGES);
    await until(child, async () => {
      const run = await newestRun();
      return run !== null && run.id !== last && (await countRunTags(database, run.id)) > most;
    });

    await killed(child);

    const run = await newestRun();
    if (run?.state === 'BUILDING') expect(await countShown()).toBe(before);
    await goOn();
    const done = await newestRun();
    expect(done).toMatchObject({ state: 'APPLIED', imageCount: IMAGES, taggedCount: IMAGES });
    expect(await countRunTags(database, done?.id as never)).toBe(done?.tagCount);
    expect(await countShown()).toBe(done?.tagCount);
  }
});

test('a worker that is killed while it reverts has hidden all or nothing, and another finishes it', async () => {
  const vocabulary = await newVocabulary(database, ['v', 'w', 'x', 'y', 'z']);
  for (let round = 0; round < 2; round++) {
    const before = await countShown();
    const run = await tagged(services, {
      ...{ collectionId: collection.id, vocabulary, minTagsPerImage: 3, maxTagsPerImage: 3 },
    });
    const whole = before + run.tagCount;
    expect(await countShown()).toBe(whole);
    const child = command('tags', 'revert', run.id);
    await until(child, async () =>
      round === 0
        ? (await newestRun())?.state === 'REVERTED'
        : (await countRunTags(database, run.id)) < run.tagCount,
    );

    await killed(child);

    expect([before, whole]).toContain(await countShown());
    await goOn();
    expect((await newestRun())?.state).toBe('REVERTED');
    expect(await countShown()).toBe(before);
    expect(await countRunTags(database, run.id)).toBe(0);
  }
});
