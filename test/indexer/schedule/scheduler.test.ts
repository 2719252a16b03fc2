import { appendFile, copyFile, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { WatchFolder } from '../../../indexer/schedule/folder-watcher.ts';
import { Scheduler } from '../../../indexer/schedule/scheduler.ts';
import { startIngest } from '../../../indexer/jobs/ingest.ts';
import { Closers } from '../../../platform/closers.ts';
import { createLogger } from '../../../platform/logger.ts';
import { deleteCollection } from '../../../store/collections.ts';
import { listImages } from '../../../store/images.ts';
import { isOver, listJobs, type JobRecord } from '../../../store/jobs.ts';
import { countOutcomes, hasOutcome } from '../../../store/ledger.ts';
import type { SourceSchedule } from '../../../store/source-schedule.ts';
import { updateSource, type SourceRecord } from '../../../store/sources.ts';
import { SAMPLE_PHOTOS, temporaryFolder } from '../../support/bundles.ts';
import { useDatabase } from '../../support/database.ts';
import { newRunner, newSource, useJobServices } from '../../support/indexing.ts';
import { until } from '../../support/until.ts';

const database = await useDatabase();
const { pool, prisma } = database;
const services = await useJobServices(database);
const HOUR = 3600;

/** What a test runs, and stops. */
let closers = new Closers();
afterEach(async () => {
  await closers.close();
  closers = new Closers();
  await pool.query('UPDATE sources SET watches = false, rescan_every_seconds = NULL');
});

/** The system's clock, and more. */
class Clock {
  #aheadMs = 0;
  readonly now = (): Date => new Date(Date.now() + this.#aheadMs);

  forward(seconds: number): void {
    this.#aheadMs += seconds * 1000;
  }
}

interface Running {
  readonly clock: Clock;
  stop(): Promise<void>;
}

function schedule(options: { clock?: Clock; watchFolder?: WatchFolder } = {}): Running {
  const clock = options.clock ?? new Clock();
  const logger = createLogger({ level: 'silent' });
  const scheduler = new Scheduler({
    ...{ database, logger, now: clock.now, pollMs: 20 },
    ...(options.watchFolder ? { watchFolder: options.watchFolder } : {}),
  });
  return { clock, stop: run((signal) => scheduler.run(signal)) };
}

/** A worker, that does what is scheduled. */
function work(): void {
  run((signal) => newRunner(services).run(signal));
}

function run(task: (signal: AbortSignal) => Promise<void>): () => Promise<void> {
  const stop = new AbortController();
  const running = task(stop.signal);
  const end = async (): Promise<void> => {
    stop.abort();
    await running;
  };
  closers.add(end);
  return end;
}

async function sourceOf(
  folder: string,
  changes: Partial<SourceSchedule>,
): Promise<Awaited<ReturnType<typeof newSource>>> {
  const source = await newSource(services, folder);
  return { ...source, ...(await updateSource(prisma, source.id, changes)) };
}

const WATCHED = { watches: true, settleSeconds: 1 };

async function jobsOf({ collectionId }: SourceRecord): Promise<readonly JobRecord[]> {
  return listJobs(prisma, { collectionId, state: null, after: null, limit: 100 });
}

async function jobsBy(source: SourceRecord): Promise<readonly string[]> {
  return (await jobsOf(source)).map(({ createdBy }) => createdBy);
}

async function pathsOf({ collectionId }: SourceRecord): Promise<readonly string[]> {
  const images = await listImages(pool, { collectionId, after: null, limit: 1000 });
  return images.map(({ path }) => path).sort();
}

function hasPaths(source: SourceRecord, paths: readonly string[]): Promise<void> {
  return until(`the images are ${paths.join(', ')}`, async () => {
    return JSON.stringify(await pathsOf(source)) === JSON.stringify(paths);
  });
}

function hasJobs(source: SourceRecord, creators: readonly string[]): Promise<void> {
  return until(`jobs are by ${creators.join(', ')}`, async () => {
    const found = await jobsBy(source);
    return JSON.stringify(found) === JSON.stringify(creators);
  });
}

function rest(source: SourceRecord): Promise<void> {
  return until('all jobs are over', async () => (await jobsOf(source)).every(isOver));
}

/** The scheduler looks at new sources after all others: when it has seen two, it has seen everything before them. */
async function letItLook(): Promise<void> {
  for (let i = 0; i < 2; i++) {
    const sentinel = await sourceOf(await temporaryFolder(), { watches: true });
    await hasJobs(sentinel, ['watcher']);
    await deleteCollection(prisma, sentinel.collectionId);
  }
}

function putPhoto(folder: string, name: string): Promise<void> {
  return copyFile(join(SAMPLE_PHOTOS, 'coffee.jpg'), join(folder, name));
}

describe('rescans', () => {
  test('one that is due starts one ingest, and none before it is due', async () => {
    const source = await sourceOf(await temporaryFolder(), { rescanEverySeconds: HOUR });
    const { clock } = schedule();
    await letItLook();
    expect(await jobsOf(source)).toEqual([]);

    clock.forward(HOUR);
    await hasJobs(source, ['schedule']);
    clock.forward(HOUR);
    await letItLook();

    expect(await jobsBy(source)).toEqual(['schedule']); // it is still open
    work();
    await hasJobs(source, ['schedule', 'schedule']);
  });

  test('wait for an ingest of the source that somebody started', async () => {
    const source = await sourceOf(await temporaryFolder(), { rescanEverySeconds: HOUR });
    await startIngest(database, {
      ...{ collectionId: source.collectionId, prune: false, dryRun: false, createdBy: 'test' },
      ...{ idempotencyKey: null, now: new Date() },
    });
    const { clock } = schedule();

    clock.forward(HOUR * 2);
    await letItLook();

    expect(await jobsBy(source)).toEqual(['test']);
    work();
    await hasJobs(source, ['schedule', 'test']);
  });

  test('take prune and settle time from the source', async () => {
    const settings = { rescanEverySeconds: HOUR, prunes: true, settleSeconds: 7 };
    const source = await sourceOf(await temporaryFolder(), settings);
    const { clock } = schedule();

    clock.forward(HOUR);
    await hasJobs(source, ['schedule']);

    const [job] = await jobsOf(source);
    const input = { prune: true, settleSeconds: 7, dryRun: false, sourceIds: [source.id] };
    expect(job?.input).toMatchObject(input);
  });

  test('of a folder that is gone are tried once an interval', async () => {
    const folder = await temporaryFolder();
    const source = await sourceOf(folder, { rescanEverySeconds: HOUR });
    await rm(folder, { recursive: true });
    const { clock } = schedule();
    work();

    clock.forward(HOUR);
    await hasJobs(source, ['schedule']);
    await rest(source);
    await letItLook();

    expect(await jobsBy(source)).toEqual(['schedule']);
  });

  test('are started by one of two schedulers, and by the other when the first stops', async () => {
    const first = schedule();
    await letItLook(); // it is the one
    const second = schedule();
    const source = await sourceOf(await temporaryFolder(), { rescanEverySeconds: HOUR });
    second.clock.forward(HOUR);
    await letItLook();
    expect(await jobsOf(source)).toEqual([]); // it would be due for the second

    await first.stop();

    await hasJobs(source, ['schedule']);
  });
});

describe('a watched folder', () => {
  test('is scanned when watching begins, and when a photo comes', async () => {
    const folder = await temporaryFolder();
    await putPhoto(folder, 'a.jpg');
    const source = await sourceOf(folder, WATCHED);
    schedule();
    work();
    await hasPaths(source, ['src/a.jpg']);

    await mkdir(join(folder, 'deep/er'), { recursive: true });
    await putPhoto(folder, 'deep/er/b.jpg');

    await hasPaths(source, ['src/a.jpg', 'src/deep/er/b.jpg']);
    expect(new Set(await jobsBy(source))).toEqual(new Set(['watcher']));
  });

  test('a file that is still being written is left alone until it settles', async () => {
    const folder = await temporaryFolder();
    const source = await sourceOf(folder, { watches: true, settleSeconds: 3 });
    const { clock } = schedule();
    work();
    await hasJobs(source, ['watcher']);
    await rest(source);
    const bytes = await readFile(join(SAMPLE_PHOTOS, 'koala.jpg')); // which no other test reads
    const file = join(folder, 'slow.jpg');
    let written = bytes.length >> 1;
    await appendFile(file, bytes.subarray(0, written));

    await until('a scan finds it unsettled', async () => {
      await appendFile(file, bytes.subarray(written, ++written));
      clock.forward(5); // patience ends
      const [job] = await jobsOf(source);
      return job !== undefined && (await hasOutcome(pool, job.id, 'SETTLING'));
    });
    await appendFile(file, bytes.subarray(written));

    await hasPaths(source, ['src/slow.jpg']);
    await rest(source);
    const outcomes = await Promise.all(
      (await jobsOf(source)).map(({ id }) => countOutcomes(pool, id)),
    );
    const reasons = new Set(outcomes.flat().map(({ reasonCode }) => reasonCode));
    expect(reasons).toEqual(new Set(['SETTLING', 'EMBEDDED']));
  });

  test('an image goes with its file where the source prunes, and stays elsewhere', async () => {
    const [pruned, kept] = [await temporaryFolder(), await temporaryFolder()];
    for (const folder of [pruned, kept]) {
      for (const name of ['a.jpg', 'b.jpg']) await putPhoto(folder, name);
    }
    const pruning = await sourceOf(pruned, { ...WATCHED, prunes: true });
    const keeping = await sourceOf(kept, WATCHED);
    schedule();
    work();
    const both = ['src/a.jpg', 'src/b.jpg'];
    for (const source of [pruning, keeping]) await hasPaths(source, both);
    for (const source of [pruning, keeping]) await rest(source);
    const scans = (await jobsOf(keeping)).length;

    for (const folder of [pruned, kept]) await rm(join(folder, 'a.jpg'));

    await hasPaths(pruning, ['src/b.jpg']);
    await until('the other is scanned', async () => (await jobsOf(keeping)).length > scans);
    await rest(keeping);
    expect(await pathsOf(keeping)).toEqual(both);
  });

  test('comes and goes with its settings', async () => {
    const folder = await temporaryFolder();
    const source = await sourceOf(folder, {});
    const { clock } = schedule();
    work();
    await putPhoto(folder, 'a.jpg');
    await letItLook();
    expect(await jobsOf(source)).toEqual([]);

    await updateSource(prisma, source.id, WATCHED);
    await hasPaths(source, ['src/a.jpg']);
    await rest(source);
    await updateSource(prisma, source.id, { watches: false });
    await letItLook();
    const scans = (await jobsOf(source)).length;
    await putPhoto(folder, 'b.jpg');
    clock.forward(HOUR);
    await letItLook();

    expect(await jobsOf(source)).toHaveLength(scans);
    expect(await pathsOf(source)).toEqual(['src/a.jpg']);
  });

  test('that goes away and comes back is looked for, and scanned when it is back', async () => {
    const parent = await temporaryFolder();
    const [folder, elsewhere] = [join(parent, 'here'), join(parent, 'elsewhere')];
    await mkdir(folder);
    await putPhoto(folder, 'a.jpg');
    const source = await sourceOf(folder, { ...WATCHED, prunes: true });
    const { clock } = schedule();
    work();
    await hasPaths(source, ['src/a.jpg']);
    await rest(source);
    const scans = (await jobsOf(source)).length;

    await rename(folder, elsewhere);
    for (let i = 0; i < 3; i++) {
      clock.forward(31);
      await letItLook();
    }
    expect(await jobsOf(source)).toHaveLength(scans); // and none of its images are removed
    await putPhoto(elsewhere, 'b.jpg');
    await rename(elsewhere, folder);
    clock.forward(31);

    await hasPaths(source, ['src/a.jpg', 'src/b.jpg']);
  });

  test('that the system refuses to watch is scanned every minute', async () => {
    const full = Object.assign(new Error('ENOSPC: System limit for watchers'), { code: 'ENOSPC' });
    const source = await sourceOf(await temporaryFolder(), WATCHED);
    const { clock } = schedule({ watchFolder: () => Promise.reject(full) });
    work();

    clock.forward(61);
    await hasJobs(source, ['schedule']);
    await rest(source);
    clock.forward(61);

    await hasJobs(source, ['schedule', 'schedule']);
  });

  test('of a collection that is deleted disturbs nobody', async () => {
    const source = await sourceOf(await temporaryFolder(), WATCHED);
    schedule();
    await hasJobs(source, ['watcher']);

    await deleteCollection(prisma, source.collectionId);

    await letItLook();
    expect(await jobsOf(source)).toEqual([]);
  });
});
