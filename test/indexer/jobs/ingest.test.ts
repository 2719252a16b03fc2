import { describe, expect, test } from '@jest/globals';
import { mkdir, readFile, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { createSearchableCollection } from '../../../indexer/collections.ts';
import { startIngest, startUpload } from '../../../indexer/jobs/ingest.ts';
import { verifyCollection } from '../../../indexer/verify/verify.ts';
import { hexOf } from '../../../store/embeddings.ts';
import { findLiveGeneration } from '../../../store/generations.ts';
import { countImages, listImages, type ImageRecord } from '../../../store/images.ts';
import type { CollectionId } from '../../../store/ids.ts';
import { cancelJob, pauseJob, resumeJob } from '../../../store/job-control.ts';
import { claimItems } from '../../../store/job-items.ts';
import { countItems } from '../../../store/job-progress.ts';
import { findJob, getJob } from '../../../store/jobs.ts';
import { addSource } from '../../../store/sources.ts';
import { temporaryFolder } from '../../support/bundles.ts';
import { useDatabase } from '../../support/database.ts';
import { fillHostileFolder } from '../../support/hostile-folder.ts';
import { plain } from '../../support/images.ts';
import { ingested, newRunner, newSource, reasons, useJobServices } from '../../support/indexing.ts';
import { freshName } from '../../support/rows.ts';

const database = await useDatabase();
const { pool, prisma } = database;
const services = await useJobServices(database);
const never = new AbortController().signal;

let colour = 0;

/** A picture nobody else has. */
async function writePhoto(folder: string, name: string): Promise<void> {
  colour++;
  const background = { r: colour % 256, g: (colour >> 8) % 256, b: (colour * 7) % 256 };
  await plain(background, 60, 40).png().toFile(join(folder, name));
}

async function folderWith(count: number): Promise<string> {
  const folder = await temporaryFolder();
  for (let i = 0; i < count; i++) await writePhoto(folder, `photo-${i}.png`);
  return folder;
}

function images(collectionId: CollectionId): Promise<readonly ImageRecord[]> {
  return listImages(pool, { collectionId, after: null, limit: 1000 });
}

async function idOf(collectionId: CollectionId, path: string): Promise<bigint | undefined> {
  return (await images(collectionId)).find((image) => image.path === path)?.id;
}

async function expectSound(collection: Parameters<typeof verifyCollection>[1]): Promise<void> {
  const checks = await verifyCollection(services, collection, { sample: 50, signal: never });
  expect(checks.flatMap(({ violations }) => violations)).toEqual([]);
}

const NOTHING = { decoded: 0, embedded: 0, reused: 0, moved: 0, removed: 0, unchanged: 0 };

describe('what an ingest makes of a folder', () => {
  test('every good photo is indexed, every bad file is in the ledger with its own reason', async () => {
    const folder = await temporaryFolder();
    const { good, bad } = await fillHostileFolder(folder);
    const source = await newSource(services, folder);

    const job = await ingested(services, source);

    expect(job.state).toBe('SUCCEEDED');
    const paths = (await images(source.collectionId)).map(({ path }) => path).sort();
    expect(paths).toEqual(good.map((name) => `src/${name}`).sort());
    const expected = Object.entries(bad).map(([name, reason]) => `src/${name}: ${reason}`);
    expect(await reasons(database, job)).toEqual(expected.sort());
    const { total, done, failed, skipped } = await countItems(pool, job.id);
    expect(total).toBe(done + failed + skipped);
    expect(job.plan).toMatchObject({ files: total, toRead: good.length + 6, unchanged: 0 });
    await expectSound(source.collection);
  });

  test('again: nothing is read, and what could not be decoded is not tried again', async () => {
    const folder = await temporaryFolder();
    const { good } = await fillHostileFolder(folder);
    const source = await newSource(services, folder);
    await ingested(services, source);

    const again = await ingested(services, source);
    const third = await ingested(services, source);

    for (const job of [again, third]) {
      expect(job.plan).toMatchObject({ toRead: 0, unchanged: good.length, bytesToRead: 0 });
      expect(job.result).toEqual({ ...NOTHING, unchanged: good.length });
      expect(await reasons(database, job, 'SKIPPED')).toContain('src/half.jpg: TRUNCATED');
      expect(await reasons(database, job)).toContain('src/pipe.jpg: NOT_A_FILE');
    }
  });

  test('a bad file that was mended is indexed', async () => {
    const folder = await folderWith(0);
    await writeFile(join(folder, 'a.png'), 'half written');
    const source = await newSource(services, folder);
    await ingested(services, source);
    await writePhoto(folder, 'a.png');

    const { result } = await ingested(services, source);

    expect(result).toMatchObject({ embedded: 1 });
  });

  test('the same photos in another collection are neither decoded nor embedded', async () => {
    const folder = await folderWith(5);
    await ingested(services, await newSource(services, folder));
    const other = await newSource(services, folder);

    const { result } = await ingested(services, other);

    expect(result).toEqual({ ...NOTHING, reused: 5 });
    expect(await images(other.collectionId)).toMatchObject([
      { width: 60, height: 40, format: 'PNG' },
      {},
      {},
      {},
      {},
    ]);
    await expectSound(other.collection);
  });

  test('copies in one folder are embedded once', async () => {
    const folder = await folderWith(1);
    const bytes = await readFile(join(folder, 'photo-0.png'));
    for (const name of ['b.png', 'c.png']) await writeFile(join(folder, name), bytes);
    const source = await newSource(services, folder);

    const { result } = await ingested(services, source);

    expect(result).toEqual({ ...NOTHING, decoded: 1, embedded: 1, reused: 2 });
    expect(await countImages(pool, source.collectionId)).toBe(3);
    await expectSound(source.collection);
  });

  test('a touched file only gets its new time', async () => {
    const folder = await folderWith(2);
    const source = await newSource(services, folder);
    await ingested(services, source);
    await utimes(join(folder, 'photo-0.png'), 1, 1_000_000);

    const touched = await ingested(services, source);
    const after = await ingested(services, source);

    expect(touched.plan).toMatchObject({ toRead: 1, unchanged: 1 });
    expect(touched.result).toEqual({ ...NOTHING, unchanged: 2 });
    expect(after.plan).toMatchObject({ toRead: 0, unchanged: 2 });
  });

  test('a changed file keeps its id and gets its new embedding', async () => {
    const folder = await folderWith(2);
    const source = await newSource(services, folder);
    await ingested(services, source);
    const before = await idOf(source.collectionId, 'src/photo-0.png');
    await writePhoto(folder, 'photo-0.png');

    const { result } = await ingested(services, source);

    expect(result).toEqual({ ...NOTHING, decoded: 1, embedded: 1, unchanged: 1 });
    expect(await idOf(source.collectionId, 'src/photo-0.png')).toBe(before);
    await expectSound(source.collection);
  });

  test('a moved file keeps its id, also when the job prunes', async () => {
    const folder = await folderWith(3);
    const source = await newSource(services, folder);
    await ingested(services, source);
    const before = await idOf(source.collectionId, 'src/photo-1.png');
    await mkdir(join(folder, 'sub'));
    await rename(join(folder, 'photo-1.png'), join(folder, 'sub', 'new name.png'));

    const job = await ingested(services, source, { prune: true });

    expect(job.result).toEqual({ ...NOTHING, moved: 1, unchanged: 2 });
    expect(job.plan).toMatchObject({ vanished: 1, toRemove: 1 });
    expect(await idOf(source.collectionId, 'src/sub/new name.png')).toBe(before);
    expect(await countImages(pool, source.collectionId)).toBe(3);
    await expectSound(source.collection);
  });

  test('two new names of one vanished file: one moved, one new', async () => {
    const folder = await folderWith(1);
    const source = await newSource(services, folder);
    await ingested(services, source);
    const bytes = await readFile(join(folder, 'photo-0.png'));
    await rm(join(folder, 'photo-0.png'));
    for (const name of ['x.png', 'y.png']) await writeFile(join(folder, name), bytes);

    const { result } = await ingested(services, source);

    expect(result).toEqual({ ...NOTHING, moved: 1, reused: 1 });
    await expectSound(source.collection);
  });

  test('files that changed places keep their paths', async () => {
    const folder = await folderWith(2);
    const source = await newSource(services, folder);
    await ingested(services, source);
    const [a, b, c] = ['photo-0.png', 'photo-1.png', 'c.png'].map((name) => join(folder, name));
    await rename(a ?? '', c ?? '');
    await rename(b ?? '', a ?? '');
    await rename(c ?? '', b ?? '');
    for (const [i, file] of [a, b].entries()) await utimes(file ?? '', i + 5, i + 5);

    const { result } = await ingested(services, source);

    expect(result).toEqual({ ...NOTHING, reused: 2 });
    await expectSound(source.collection);
  });

  test('vanished files are counted, and removed only by a job that prunes', async () => {
    const folder = await folderWith(3);
    const source = await newSource(services, folder);
    await ingested(services, source);
    await rm(join(folder, 'photo-2.png'));

    const kept = await ingested(services, source);
    const pruned = await ingested(services, source, { prune: true });

    expect(kept.plan).toMatchObject({ files: 2, vanished: 1, toRemove: 0 });
    expect(kept.result).toEqual({ ...NOTHING, unchanged: 2 });
    expect(pruned.plan).toMatchObject({ vanished: 1, toRemove: 1 });
    expect(pruned.result).toEqual({ ...NOTHING, removed: 1, unchanged: 2 });
    expect(await countImages(pool, source.collectionId)).toBe(2);
    await expectSound(source.collection);
  });

  test('nothing is removed while the folder as a whole is away', async () => {
    const folder = join(await temporaryFolder(), 'disk');
    await mkdir(folder);
    await writePhoto(folder, 'a.png');
    const source = await newSource(services, folder);
    await ingested(services, source);
    await rename(folder, `${folder} away`);

    const job = await ingested(services, source, { prune: true });

    expect(await reasons(database, job)).toEqual(['src/: SOURCE_UNREADABLE']);
    expect(await countImages(pool, source.collectionId)).toBe(1);
  });

  test('nothing is removed while the folder is a mount point without its disk', async () => {
    const folder = await folderWith(2);
    const source = await newSource(services, folder);
    await ingested(services, source);
    for (const name of ['photo-0.png', 'photo-1.png']) await rm(join(folder, name));

    const job = await ingested(services, source, { prune: true });

    expect(await reasons(database, job)).toEqual(['src/: SOURCE_EMPTY']);
    expect(await countImages(pool, source.collectionId)).toBe(2);
  });

  test('an image is neither moved nor removed while its folder can not be read', async () => {
    const folder = await folderWith(1);
    await mkdir(join(folder, 'sub'));
    await writePhoto(join(folder, 'sub'), 'a.png');
    const source = await newSource(services, folder);
    await ingested(services, source);
    const before = await idOf(source.collectionId, 'src/sub/a.png');
    await writeFile(join(folder, 'copy.png'), await readFile(join(folder, 'sub', 'a.png')));
    await rename(join(folder, 'sub'), join(folder, '.away'));
    await symlink('sub', join(folder, 'sub')); // ELOOP, which no user is exempt from

    const job = await ingested(services, source, { prune: true });

    expect(job.result).toEqual({ ...NOTHING, reused: 1, unchanged: 1 });
    expect(await reasons(database, job)).toEqual(['src/sub/a.png: UNREADABLE']);
    expect(await idOf(source.collectionId, 'src/sub/a.png')).toBe(before);
    await rm(join(folder, 'sub'));
    await rename(join(folder, '.away'), join(folder, 'sub'));
    expect(await reasons(database, await ingested(services, source, { prune: true }))).toEqual([]);
    expect(await countImages(pool, source.collectionId)).toBe(3);
  });

  test('a dry run writes nothing but its plan', async () => {
    const folder = await folderWith(4);
    const source = await newSource(services, folder);
    await ingested(services, source);
    await rm(join(folder, 'photo-0.png'));
    await writePhoto(folder, 'new.png');

    const job = await ingested(services, source, { dryRun: true, prune: true });

    expect(job.state).toBe('PLANNED');
    expect(job.plan).toMatchObject({ files: 4, toRead: 1, unchanged: 3, vanished: 1, toRemove: 1 });
    expect((await countItems(pool, job.id)).total).toBe(0);
    expect(await countImages(pool, source.collectionId)).toBe(4);
  });

  test('sources of one name in two folders keep their files apart', async () => {
    const [one, two] = [await folderWith(2), await folderWith(2)];
    const source = await newSource(services, one);
    await addSource(prisma, { collectionId: source.collectionId, name: 'other', folder: two });

    const { result } = await ingested(services, source);

    expect(result).toMatchObject({ embedded: 4 });
    expect(await idOf(source.collectionId, 'other/photo-0.png')).toBeDefined();
  });

  test('the thumbnail is there when the photo is', async () => {
    const source = await newSource(services, await folderWith(1));

    await ingested(services, source);

    const [image] = await images(source.collectionId);
    expect(
      await services.thumbnails.find(image?.sha256 ?? Buffer.alloc(0), 'MEDIUM'),
    ).not.toBeNull();
  });
});

describe('workers', () => {
  test('two runners on one job do nothing twice', async () => {
    const source = await newSource(services, await folderWith(150));
    const { id } = await startIngest(database, {
      ...{ collectionId: source.collectionId, prune: false, dryRun: false, createdBy: 'test' },
      ...{ idempotencyKey: null, now: new Date() },
    });

    const [a, b] = await Promise.all([1, 2].map(() => newRunner(services).runJob(id, never)));

    expect(a?.result).toEqual({ ...NOTHING, decoded: 150, embedded: 150 });
    expect(b?.state).toBe('SUCCEEDED');
    expect(await countImages(pool, source.collectionId)).toBe(150);
    await expectSound(source.collection);
  });

  test('a running worker takes up what is queued at once', async () => {
    const source = await newSource(services, await folderWith(3));
    const stop = new AbortController();
    const running = newRunner(services).run(stop.signal);

    const job = await ingested(services, source);
    stop.abort();
    await running;

    expect(job.result).toMatchObject({ embedded: 3 });
  });

  test('what a dead worker had is taken over without waiting for its lease', async () => {
    const source = await newSource(services, await folderWith(5));
    const { id } = await startIngest(database, {
      ...{ collectionId: source.collectionId, prune: false, dryRun: false, createdBy: 'test' },
      ...{ idempotencyKey: null, now: new Date() },
    });
    await newRunner(services).runJob(id, never); // plans it, and does it; then it is all to be done again
    await pool.query(
      "UPDATE job_items SET state = 'PENDING', finished_at = NULL WHERE job_id = $1",
      [id],
    );
    await pool.query("UPDATE jobs SET state = 'QUEUED', finished_at = NULL WHERE id = $1", [id]);
    const leaseMs = 3_600_000;
    await claimItems(pool, { jobId: id, limit: 5, leaseMs, now: new Date() }); // by nobody who lives

    const job = await newRunner(services).runJob(id, never);

    expect(job.state).toBe('SUCCEEDED');
    expect(await countItems(pool, id)).toMatchObject({ total: 5, open: 0, failed: 0 });
  });

  test('a worker that is stopped gives back what it has, and another goes on', async () => {
    const source = await newSource(services, await folderWith(100));
    const { id } = await startIngest(database, {
      ...{ collectionId: source.collectionId, prune: false, dryRun: false, createdBy: 'test' },
      ...{ idempotencyKey: null, now: new Date() },
    });
    const stop = new AbortController();
    const stopped = newRunner(services).runJob(id, stop.signal);
    while ((await findJob(prisma, id))?.state !== 'RUNNING') await new Promise(setImmediate);
    stop.abort();
    await expect(stopped).rejects.toMatchObject({ code: 'ABORTED' });
    const { rows } = await pool.query(
      "SELECT FROM job_items WHERE job_id = $1 AND state = 'RUNNING'",
      [id],
    );
    expect(rows).toEqual([]);

    const job = await newRunner(services).runJob(id, never);

    expect(job.state).toBe('SUCCEEDED');
    expect(await countImages(pool, source.collectionId)).toBe(100);
    expect(await countItems(pool, id)).toMatchObject({ total: 100, done: 100 });
  });

  test('a paused job waits, a cancelled one is over', async () => {
    const source = await newSource(services, await folderWith(40));
    const { id } = await startIngest(database, {
      ...{ collectionId: source.collectionId, prune: false, dryRun: false, createdBy: 'test' },
      ...{ idempotencyKey: null, now: new Date() },
    });
    const running = newRunner(services).runJob(id, never);
    while ((await findJob(prisma, id))?.state === 'PLANNED') await new Promise(setImmediate);
    await pauseJob(pool, id);
    expect((await running).state).toBe('PAUSED');
    await resumeJob(pool, id);
    await cancelJob(pool, id, new Date());

    const job = await newRunner(services).runJob(id, never);

    expect(job.state).toBe('CANCELLED');
    await expectSound(source.collection);
  });

  test('decoders that are killed all the time cost at most the files they had', async () => {
    const source = await newSource(services, await folderWith(60));
    const ending = ingested(services, source);
    for (let i = 0; i < 6; i++) {
      const [victim] = services.decoder.processes.filter(({ isBusy }) => isBusy);
      if (victim) process.kill(victim.id, 'SIGKILL');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }

    const job = await ending;

    expect(job.state).toBe('SUCCEEDED');
    const failed = await reasons(database, job);
    expect(failed.every((line) => line.endsWith('DECODER_DIED'))).toBe(true);
    await expectSound(source.collection);
  });

  test('a collection of another vision space is not mixed', async () => {
    const source = await newSource(services, await folderWith(1));
    await pool.query('UPDATE generations SET vision_space_id = $2 WHERE collection_id = $1', [
      ...[source.collectionId, await strangeSpace()],
    ]);

    const job = await ingested(services, source);

    expect(job).toMatchObject({
      state: 'FAILED',
      result: { message: expect.stringMatching(/MODEL_BUNDLE/) },
    });
  });
});

async function strangeSpace(): Promise<string> {
  const fingerprint = freshName('strange');
  const data = { fingerprint, name: 'strange', backbone: 'strange', dimensions: 7 };
  return (await prisma.visionSpace.create({ data })).id;
}

describe('uploads', () => {
  test('an uploaded photo becomes an image, and asking twice changes nothing', async () => {
    const { id: collectionId } = await createSearchableCollection(database, services.models.main, {
      name: freshName('uploads'),
    });
    const folder = await folderWith(1);
    const bytes = await readFile(join(folder, 'photo-0.png'));
    const saved = await services.uploads.save(Readable.from([bytes]), { maxBytes: 1_000_000 });
    const file = { name: '../../my photo.png', sha256: hexOf(saved.sha256), bytes: saved.bytes };
    const text = await services.uploads.save(Readable.from([Buffer.from('text')]), { maxBytes: 9 });
    const files = [file, { name: 'text.jpg', sha256: hexOf(text.sha256), bytes: text.bytes }];
    const request = {
      collectionId,
      files,
      createdBy: 'test',
      idempotencyKey: 'k',
      now: new Date(),
    };

    const job = await startUpload(database, request);
    const same = await startUpload(database, request);
    await newRunner(services).runJob(job.id, never);

    expect(same.id).toBe(job.id);
    const [image] = await images(collectionId);
    const prefix = hexOf(saved.sha256).slice(0, 12);
    expect(image).toMatchObject({
      path: `uploads/${prefix}-my photo.png`,
      sourceId: null,
      width: 60,
    });
    const ended = await getJob(prisma, job.id);
    expect(ended.result).toEqual({ ...NOTHING, decoded: 1, embedded: 1 });
    expect(await reasons(database, ended)).toEqual([
      `uploads/${hexOf(text.sha256).slice(0, 12)}-text.jpg: NOT_AN_IMAGE`,
    ]);
  });
});

describe('collections that can be searched', () => {
  test('ten processes make one at once: one does, and it has one live generation', async () => {
    const name = freshName('raced');
    const made = await Promise.allSettled(
      Array.from({ length: 10 }, () =>
        createSearchableCollection(database, services.models.main, { name }),
      ),
    );

    const [winner, ...others] = made.filter(({ status }) => status === 'fulfilled');
    expect(others).toEqual([]);
    if (winner?.status !== 'fulfilled') throw new Error('Nobody made it.');
    const live = await findLiveGeneration(prisma, winner.value.id);
    expect(live).toMatchObject({ number: 1, textModelId: expect.any(String) as unknown });
  });
});
