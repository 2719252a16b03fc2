import { describe, expect, test } from '@jest/globals';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Canary } from '../../../indexer/reindex/canaries.ts';
import { startReindex, type ReindexRequest } from '../../../indexer/reindex/start-reindex.ts';
import { reclaimDiscarded } from '../../../indexer/jobs/housekeeping.ts';
import type { JobServices } from '../../../indexer/jobs/index.ts';
import { registerBundle } from '../../../indexer/collections.ts';
import { verifyCollection } from '../../../indexer/verify/verify.ts';
import { Bundle } from '../../../models/bundle.ts';
import { narrowBundle } from '../../../models/narrow-bundle.ts';
import { countIndexed } from '../../../store/changes.ts';
import type { CollectionRecord } from '../../../store/collections.ts';
import {
  discardGeneration,
  promoteGeneration,
  rollbackGeneration,
} from '../../../store/generation-switch.ts';
import { listGenerations, type GenerationRecord } from '../../../store/generations.ts';
import { deleteImages, listImages, type ImageRecord } from '../../../store/images.ts';
import type { VisionSpaceId } from '../../../store/ids.ts';
import { cancelJob, retryFailedItems } from '../../../store/job-control.ts';
import { countItems } from '../../../store/job-progress.ts';
import { getJob, type JobRecord } from '../../../store/jobs.ts';
import type { ErrorCode } from '../../../platform/errors.ts';
import { inTransaction } from '../../../store/transaction.ts';
import { temporaryFolder, TINY_BUNDLE } from '../../support/bundles.ts';
import { useDatabase } from '../../support/database.ts';
import { withCode } from '../../support/errors.ts';
import { plain } from '../../support/images.ts';
import { ingested, newRunner, newSource, reasons, useJobServices } from '../../support/indexing.ts';

const database = await useDatabase();
const { pool, prisma } = database;
const bundles = await temporaryFolder();
const base = await Bundle.open(TINY_BUNDLE);
for (const dimensions of [8, 12]) {
  await narrowBundle({ base, dimensions, out: join(bundles, `narrow-${dimensions}`) });
}
const services = await useJobServices(database, { bundles });
const never = new AbortController().signal;
const spaces = new Map<number, VisionSpaceId>();
for (const bundle of await services.models.bundles()) {
  const { visionSpace } = await registerBundle(database, bundle);
  spaces.set(visionSpace.dimensions, visionSpace.id);
}
const NARROW = spaces.get(8) ?? '';

let colour = 0;

/** A picture nobody else has. */
async function writePhoto(folder: string, name: string): Promise<void> {
  colour++;
  const background = { r: colour % 256, g: (colour >> 8) % 256, b: (colour * 31) % 256 };
  await plain(background, 60, 40).png().toFile(join(folder, name));
}

interface Indexed {
  readonly collection: CollectionRecord;
  readonly folder: string;
}

/** A collection of so many photos, indexed. */
async function indexedPhotos(count: number): Promise<Indexed> {
  const folder = await temporaryFolder();
  for (let i = 0; i < count; i++) await writePhoto(folder, `photo-${i}.png`);
  const source = await newSource(services, folder);
  await ingested(services, source);
  return { collection: source.collection, folder };
}

function request({ collection }: Indexed, overrides: Partial<ReindexRequest> = {}): ReindexRequest {
  return {
    ...{ collectionId: collection.id, visionSpace: NARROW, scope: 'ALL', imageIds: null },
    ...{ canaries: [], dryRun: false, createdBy: 'test', idempotencyKey: null, now: new Date() },
    ...overrides,
  };
}

async function reindexed(of: Indexed, overrides: Partial<ReindexRequest> = {}): Promise<JobRecord> {
  const job = await startReindex(services, request(of, overrides));
  return newRunner(services).runJob(job.id, never);
}

function imagesOf({ collection }: Indexed): Promise<readonly ImageRecord[]> {
  return listImages(pool, { collectionId: collection.id, after: null, limit: 1000 });
}

/** Newest first. */
function generationsOf({ collection }: Indexed): Promise<readonly GenerationRecord[]> {
  return listGenerations(prisma, collection.id);
}

async function expectSound({ collection }: Indexed): Promise<void> {
  const checks = await verifyCollection(services, collection, { sample: 20, signal: never });
  expect(checks.flatMap(({ violations }) => violations)).toEqual([]);
}

describe('a generation in another vision space', () => {
  test('is built beside the live one, checked, promoted and rolled back', async () => {
    const of = await indexedPhotos(40);

    const job = await reindexed(of);

    expect(job).toMatchObject({ state: 'SUCCEEDED', result: { embedded: 40, reused: 0 } });
    const [built, live] = await generationsOf(of);
    expect([built?.state, live?.state]).toEqual(['READY', 'LIVE']);
    expect(built?.checks).toMatchObject([
      { name: 'count', passed: true },
      { name: 'vectors', passed: true },
      { name: 'text-model', passed: true },
      { name: 'recall', passed: true },
      { name: 'own-vector-first', passed: true },
    ]);
    await expectSound(of);
    if (!built) throw new Error('No generation was built.');
    await promoteGeneration(pool, built.id, new Date());
    await expectSound(of);
    await rollbackGeneration(pool, of.collection.id, new Date());
    await expectSound(of);
    expect((await generationsOf(of)).map(({ state }) => state)).toEqual(['RETIRED', 'LIVE']);
  });

  test('takes new, changed, moved and deleted images as the live one does', async () => {
    const of = await indexedPhotos(5);
    await reindexed(of);
    await writePhoto(of.folder, 'new.png');
    await writePhoto(of.folder, 'photo-0.png');
    await rename(join(of.folder, 'photo-1.png'), join(of.folder, 'moved.png'));
    const deleted = (await imagesOf(of)).find(({ path }) => path.endsWith('photo-2.png'));
    await rm(join(of.folder, 'photo-2.png'));
    await inTransaction(pool, (client) =>
      deleteImages(client, of.collection.id, deleted ? [deleted.id] : []),
    );

    const { result } = await ingested(services, { collectionId: of.collection.id });

    expect(result).toMatchObject({ embedded: 2, moved: 1 });
    for (const { collectionId, visionSpaceId } of await generationsOf(of)) {
      expect(await countIndexed(pool, { collectionId, visionSpaceId })).toBe(5);
    }
    await expectSound(of);
  });

  test('images that come while it is planned or embedded are in it', async () => {
    const of = await indexedPhotos(70);
    const started = await startReindex(services, request(of));
    for (let i = 0; i < 10; i++) await writePhoto(of.folder, `later-${i}.png`);
    const [job] = await Promise.all([
      newRunner(services).runJob(started.id, never),
      ingested(services, { collectionId: of.collection.id }),
    ]);

    expect(job.state).toBe('SUCCEEDED');
    for (const { collectionId, visionSpaceId } of await generationsOf(of)) {
      expect(await countIndexed(pool, { collectionId, visionSpaceId })).toBe(80);
    }
    await expectSound(of);
  });

  test('two workers embed each image once', async () => {
    const of = await indexedPhotos(100);
    let encoded = 0;
    const counting = countingModels((count) => (encoded += count));
    const started = await startReindex(services, request(of));

    const runners = [1, 2].map(() => newRunner({ ...services, models: counting }));
    await Promise.all(runners.map((runner) => runner.runJob(started.id, never)));

    expect(encoded).toBe(100);
    expect((await getJob(prisma, started.id)).result).toMatchObject({ embedded: 100 });
  });

  test('what has an embedding in the space is not embedded again', async () => {
    const of = await indexedPhotos(6);
    await reindexed(of);
    const copy = await newSource(services, of.folder);
    await ingested(services, copy);

    const job = await reindexed({ collection: copy.collection, folder: of.folder });

    expect(job.plan).toMatchObject({ toEmbed: 0, reused: 6 });
    expect(job.result).toMatchObject({ embedded: 0, reused: 6 });
  });
});

/** The models, telling how many photos were encoded. */
function countingModels(onEncoded: (count: number) => void): JobServices['models'] {
  const { models } = services;
  return {
    main: models.main,
    bundles: () => models.bundles(),
    findText: (fingerprint: string) => models.findText(fingerprint),
    findVision: async (fingerprint: string) => {
      const vision = await models.findVision(fingerprint);
      if (vision === null) return null;
      return {
        ...vision,
        encoder: async () => {
          const encoder = await vision.encoder();
          return {
            dimensions: encoder.dimensions,
            encodePixels: (pixels, options) => {
              onEncoded(pixels.length);
              return encoder.encodePixels(pixels, options);
            },
          };
        },
      };
    },
  };
}

describe('what goes wrong', () => {
  test('a file that is gone fails the checks; brought back and retried, the generation is ready', async () => {
    const of = await indexedPhotos(4);
    const [file, away] = [join(of.folder, 'photo-3.png'), join(bundles, 'away.png')];
    await rename(file, away);

    const job = await reindexed(of);

    expect(await reasons(database, job)).toEqual([
      expect.stringMatching(/^\d+: VANISHED$/),
      'checks: CHECKS_FAILED',
    ]);
    expect((await generationsOf(of))[0]?.state).toBe('FAILED');
    await rename(away, file);
    await retryFailedItems(pool, job.id);
    const again = await newRunner(services).runJob(job.id, never);
    expect(await countItems(pool, again.id)).toMatchObject({ total: 5, done: 5, failed: 0 });
    expect((await generationsOf(of))[0]?.state).toBe('READY');
  });

  test('a cancelled one fails, and another job goes on with what it has', async () => {
    const of = await indexedPhotos(3);
    const job = await startReindex(services, request(of));
    await cancelJob(pool, job.id, new Date());
    await newRunner(services).runJob(job.id, never);
    await expectSound(of);

    const next = await reindexed(of);

    expect(next.state).toBe('SUCCEEDED');
    const made = await generationsOf(of);
    expect(made.map(({ state, number }) => [number, state])).toEqual([
      [2, 'READY'],
      [1, 'LIVE'],
    ]);
  });

  test('a replaced file that nobody ingested is told; after an ingest it is there', async () => {
    const of = await indexedPhotos(3);
    await writePhoto(of.folder, 'photo-1.png');

    const job = await reindexed(of);

    expect(await reasons(database, job)).toContainEqual(
      expect.stringMatching(/: CHANGED_WHILE_READ$/),
    );
    await ingested(services, { collectionId: of.collection.id });
    await retryFailedItems(pool, job.id);
    await newRunner(services).runJob(job.id, never);
    expect((await generationsOf(of))[0]?.state).toBe('READY');
    await expectSound(of);
  });

  test('requests that can not work are refused, and make nothing', async () => {
    const of = await indexedPhotos(2);
    const other = await indexedPhotos(1);
    const [foreign] = await imagesOf(other);
    const canary: Canary = { text: 'x', imageIds: ['999999999'], within: 10, atLeast: 1 };
    const cases: readonly [Partial<ReindexRequest>, ErrorCode][] = [
      [{ visionSpace: 'no such space' }, 'BAD_USER_INPUT'],
      [{ scope: 'FAILED' }, 'CONFLICT'],
      [{ scope: 'IMAGES' }, 'BAD_USER_INPUT'],
      [{ imageIds: foreign ? [foreign.id] : [] }, 'BAD_USER_INPUT'],
      [{ scope: 'IMAGES', imageIds: foreign ? [foreign.id] : [] }, 'NOT_FOUND'],
      [{ canaries: [canary] }, 'NOT_FOUND'],
    ];

    for (const [overrides, code] of cases) {
      const starting = startReindex(services, request(of, overrides));
      await expect(starting).rejects.toMatchObject(withCode(code));
    }

    await startReindex(services, request(of));
    expect(await generationsOf(of)).toHaveLength(1); // until a worker plans it
  });

  test('while a job builds another is refused, and the same key gives the same job', async () => {
    const of = await indexedPhotos(2);
    const job = await startReindex(services, request(of, { idempotencyKey: 'k1' }));
    const refused = startReindex(services, request(of));
    await expect(refused).rejects.toMatchObject(withCode('CONFLICT'));
    await newRunner(services).runJob(job.id, never);
    const second = await startReindex(services, request(of, { idempotencyKey: 'k1' }));

    expect(second.id).toBe(job.id);
    const dryRuns = [1, 2].map(() => startReindex(services, request(of, { dryRun: true })));
    for (const dry of await Promise.all(dryRuns)) {
      const planned = await newRunner(services).runJob(dry.id, never);
      expect(planned).toMatchObject({ state: 'PLANNED', plan: { generationId: null, files: 2 } });
    }
    expect(await generationsOf(of)).toHaveLength(2);
  });
});

describe('the same vision space again', () => {
  test('a damaged vector is replaced in place, also where other collections have the picture', async () => {
    const of = await indexedPhotos(4);
    const copy = await newSource(services, of.folder);
    await ingested(services, copy);
    const [image] = await imagesOf(of);
    await pool.query(
      `UPDATE embeddings SET vector = (SELECT vector FROM embeddings WHERE sha256 <> $1 LIMIT 1) WHERE sha256 = $1`,
      [image?.sha256],
    );
    const seqs = async (): Promise<string[]> =>
      (
        await pool.query<{ seq: string }>('SELECT seq FROM index_entries WHERE sha256 = $1', [
          image?.sha256,
        ])
      ).rows.map(({ seq }) => seq);
    const before = await seqs();

    const job = await reindexed(of, {
      ...{ visionSpace: null, scope: 'IMAGES', imageIds: image ? [image.id] : [] },
    });

    expect(job.result).toMatchObject({ embedded: 1 });
    await expectSound(of);
    expect(await generationsOf(of)).toHaveLength(1);
    const after = await seqs();
    expect(after).toHaveLength(2);
    expect(after.filter((seq) => before.includes(seq))).toEqual([]);
  });

  test('all again reads every file again', async () => {
    const of = await indexedPhotos(3);

    const job = await reindexed(of, { visionSpace: null });

    expect(job.plan).toMatchObject({ toEmbed: 3, again: true });
    expect(job.result).toMatchObject({ embedded: 3 });
    expect(await generationsOf(of)).toMatchObject([{ state: 'LIVE', number: 1 }]);
  });
});

describe('canary queries', () => {
  test('one that finds what it should passes, one that does not keeps the generation out', async () => {
    const of = await indexedPhotos(6);
    const ids = (await imagesOf(of)).map(({ id }) => id.toString());
    const good: Canary = { text: 'a red thing', imageIds: ids, within: 10, atLeast: 1 };
    const compared: Canary = { text: 'a blue thing', imageIds: null, within: 6, atLeast: 6 };
    const [first] = ids;
    const bad: Canary = { text: 'x', imageIds: [first ?? ''], within: 1, atLeast: 1 };
    const others: Canary[] = ids.slice(1).map((id) => ({ ...bad, imageIds: [id] }));

    await reindexed(of, { canaries: [good, compared, bad, ...others] });

    const [built] = await generationsOf(of);
    expect(built?.state).toBe('FAILED');
    const checks = (built?.checks ?? []) as { name: string; passed: boolean }[];
    const canaries = checks.filter(({ name }) => name.startsWith('canary: '));
    expect(canaries.slice(0, 2).map(({ passed }) => passed)).toEqual([true, true]);
    expect(canaries.slice(2).filter(({ passed }) => passed)).toHaveLength(1);
  });
});

describe('a generation that is ready', () => {
  test('is FAILED when it is checked again and fails, and can not be promoted', async () => {
    const of = await indexedPhotos(3);
    await reindexed(of);
    const ids = (await imagesOf(of)).map(({ id }) => id.toString());
    const one: Canary = { text: 'x', imageIds: null, within: 1, atLeast: 1 };

    await reindexed(of, { canaries: ids.map((id) => ({ ...one, imageIds: [id] })) });

    const [built] = await generationsOf(of);
    expect(built?.state).toBe('FAILED');
    const promoting = built && promoteGeneration(pool, built.id, new Date());
    await expect(promoting).rejects.toMatchObject(withCode('CONFLICT'));
    await expectSound(of);
  });

  test('of an older job is not touched when that job is retried', async () => {
    const of = await indexedPhotos(2);
    const [file, away] = [join(of.folder, 'photo-1.png'), join(bundles, 'away-2.png')];
    await rename(file, away);
    const first = await reindexed(of);
    await rename(away, file);
    await reindexed(of, { scope: 'FAILED' });
    expect((await generationsOf(of))[0]?.state).toBe('READY');

    const retrying = retryFailedItems(pool, first.id);

    await expect(retrying).rejects.toMatchObject(withCode('CONFLICT'));
    expect((await generationsOf(of))[0]?.state).toBe('READY');
  });
});

describe('afterwards', () => {
  test('a discarded generation leaves nothing behind, and can be built again', async () => {
    const of = await indexedPhotos(5);
    await reindexed(of);
    const [built] = await generationsOf(of);
    if (!built) throw new Error('No generation was built.');

    await discardGeneration(pool, built.id, new Date());
    await reclaimDiscarded(database, never);

    expect(await countIndexed(pool, built)).toBe(0);
    await ingested(services, { collectionId: of.collection.id });
    await expectSound(of);
    const again = await reindexed(of);
    expect(again.result).toMatchObject({ embedded: 5 });
    expect((await generationsOf(of)).map(({ number }) => number)).toEqual([3, 2, 1]);
  });

  test('without the bundle of a kept generation an ingest says what to do', async () => {
    const of = await indexedPhotos(1);
    await reindexed(of);
    const poor = await useJobServices(database);
    await writePhoto(of.folder, 'more.png');

    const job = await ingested(
      { ...services, models: poor.models },
      { collectionId: of.collection.id },
    );

    expect(job).toMatchObject({ state: 'FAILED' });
    expect(JSON.stringify(job.result)).toContain('discard the generation');
  });
});
