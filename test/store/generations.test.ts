import { describe, expect, test } from '@jest/globals';
import { countIndexed, countUnindexed, type IndexKey } from '../../store/changes.ts';
import { findEmbedded } from '../../store/embeddings.ts';
import {
  beginGeneration,
  discardGeneration,
  promoteGeneration,
  rollbackGeneration,
  settleGeneration,
} from '../../store/generation-switch.ts';
import {
  createFirstGeneration,
  findGeneration,
  findLiveGeneration,
  listGenerations,
  readKeptSpaces,
} from '../../store/generations.ts';
import { asGenerationId, type GenerationId, type JobId } from '../../store/ids.ts';
import { cancelJob, finishJob, queueJob, retryFailedItems } from '../../store/job-control.ts';
import { addFinishedItems } from '../../store/ledger.ts';
import { createJob, findJob } from '../../store/jobs.ts';
import { registerTextModel } from '../../store/model-registry.ts';
import { forgetIdleScans, listDiscarded, reclaim } from '../../store/reclaim.ts';
import { inTransaction } from '../../store/transaction.ts';
import { useDatabase } from '../support/database.ts';
import { withCode } from '../support/errors.ts';
import { freshName, indexed, newIndex, NOON, secondsLater, sha256Of } from '../support/rows.ts';

const database = await useDatabase();
const { pool, prisma } = database;
const NOWHERE = '00000000-0000-4000-8000-000000000000';
const CONFLICT = withCode('CONFLICT');
const GOOD = [{ name: 'count', passed: true, detail: '' }];
const BAD = [{ name: 'recall', passed: false, detail: '0.91' }];

/** Another vision space for the same collection. */
async function anotherSpace({ collectionId }: IndexKey): Promise<IndexKey> {
  return { collectionId, visionSpaceId: (await newIndex(database)).visionSpaceId };
}

async function newTextModel({ visionSpaceId }: IndexKey) {
  return registerTextModel(prisma, {
    ...{ fingerprint: freshName('t'), name: freshName('model'), version: 1, visionSpaceId },
    ...{ languageModel: 'smol', metrics: {} },
  });
}

async function newJob({ collectionId }: IndexKey): Promise<JobId> {
  const job = { kind: 'REINDEX' as const, collectionId, input: {}, createdBy: 'test', now: NOON };
  return (await createJob(prisma, job)).id;
}

/** A generation being built, with a text model, and its job. */
async function begun(key: IndexKey): Promise<{ id: GenerationId; jobId: JobId }> {
  const jobId = await newJob(key);
  const textModelId = (await newTextModel(key)).id;
  const { id } = await beginGeneration(pool, jobId, { ...key, textModelId });
  return { id, jobId };
}

/** One that was built and checked. */
async function ready(key: IndexKey): Promise<GenerationId> {
  const { id, jobId } = await begun(key);
  await settleGeneration(pool, { id, jobId }, GOOD);
  await cancelJob(pool, jobId, NOON);
  return id;
}

/** A collection with generation 1 live. */
async function liveIndex(): Promise<IndexKey> {
  const key = await newIndex(database);
  const textModelId = (await newTextModel(key)).id;
  await createFirstGeneration(pool, { ...key, textModelId }, NOON);
  return key;
}

async function stateOf(id: GenerationId): Promise<string | undefined> {
  return (await findGeneration(prisma, id))?.state;
}

describe('building', () => {
  test('numbers count up without gaps, however many are begun at once', async () => {
    const key = await liveIndex();
    const spaces = await Promise.all([1, 2, 3, 4].map(() => anotherSpace(key)));

    await Promise.all(spaces.map((space) => begun(space)));

    const made = await listGenerations(prisma, key.collectionId);
    expect(made.map(({ number }) => number)).toEqual([5, 4, 3, 2, 1]);
  });

  test('beginning again gives the same one, and another job is refused while one builds', async () => {
    const key = await anotherSpace(await liveIndex());
    const { id, jobId } = await begun(key);

    expect(await beginGeneration(pool, jobId, { ...key, textModelId: null })).toEqual({
      id,
      isComplete: false,
    });
    await expect(begun(key)).rejects.toMatchObject(CONFLICT);
    await cancelJob(pool, jobId, NOON);
    expect(await stateOf(id)).toBe('FAILED');
    expect((await begun(key)).id).toBe(id);
    expect(await stateOf(id)).toBe('BUILDING');
  });

  test('a job that was cancelled begins nothing', async () => {
    const key = await anotherSpace(await liveIndex());
    const jobId = await newJob(key);
    await cancelJob(pool, jobId, NOON);

    const beginning = beginGeneration(pool, jobId, { ...key, textModelId: null });

    await expect(beginning).rejects.toMatchObject(CONFLICT);
    expect(await listGenerations(prisma, key.collectionId)).toHaveLength(1);
  });

  test('who adds images holds up who begins a generation, until the images are there', async () => {
    const key = await liveIndex();
    const next = await anotherSpace(key);
    let isBegun = false;
    let beginning: Promise<unknown> = Promise.resolve();

    await inTransaction(pool, async (client) => {
      expect(await readKeptSpaces(client, key.collectionId)).toEqual(new Set([key.visionSpaceId]));
      beginning = begun(next).then(() => (isBegun = true));
      await Promise.race([beginning, new Promise((resolve) => setTimeout(resolve, 100))]);
      expect(isBegun).toBe(false);
    });

    expect(await beginning).toBe(true);
    const kept = await readKeptSpaces(pool, key.collectionId);
    expect(kept).toEqual(new Set([key.visionSpaceId, next.visionSpaceId]));
  });
});

describe('switching', () => {
  test('going live retires the one before, and a roll-back returns to it and back', async () => {
    const first = await liveIndex();
    const second = await ready(await anotherSpace(first));
    const live = async (): Promise<unknown> =>
      (await findLiveGeneration(prisma, first.collectionId))?.number;

    await promoteGeneration(pool, second, secondsLater(1));
    expect(await live()).toBe(2);
    await rollbackGeneration(pool, first.collectionId, secondsLater(2));
    expect(await live()).toBe(1);
    expect(await stateOf(second)).toBe('RETIRED');
    await rollbackGeneration(pool, first.collectionId, secondsLater(3));

    expect(await live()).toBe(2);
  });

  test('of several at once one is live, and nobody ever sees none', async () => {
    const first = await liveIndex();
    const { collectionId } = first;
    const ids = [await ready(await anotherSpace(first)), await ready(await anotherSpace(first))];
    let none = 0;
    const looks = async (): Promise<void> => {
      for (let i = 0; i < 50; i++) {
        if ((await findLiveGeneration(prisma, collectionId)) === null) none++;
      }
    };

    const switching = ids.map((id, i) => promoteGeneration(pool, id, secondsLater(i)));
    await Promise.all([...switching, looks(), looks()]);

    expect(none).toBe(0);
    const live = (await listGenerations(prisma, collectionId)).filter(
      (one) => one.state === 'LIVE',
    );
    expect(live).toHaveLength(1);
  });

  test('promoting a third discards the first; only one is kept to go back to', async () => {
    const first = await liveIndex();
    const [second, third] = [
      await ready(await anotherSpace(first)),
      await ready(await anotherSpace(first)),
    ];

    await promoteGeneration(pool, second, secondsLater(1));
    await promoteGeneration(pool, third, secondsLater(2));

    const made = await listGenerations(prisma, first.collectionId);
    expect(made.map(({ state, discardedAt }) => [state, discardedAt !== null])).toEqual([
      ['LIVE', false],
      ['RETIRED', false],
      ['RETIRED', true],
    ]);
  });

  test('what is not ready, failed, is live, discarded or nowhere stays as it is', async () => {
    const first = await liveIndex();
    const { id, jobId } = await begun(await anotherSpace(first));
    const promoting = (one: GenerationId): Promise<void> => promoteGeneration(pool, one, NOON);

    await expect(promoting(id)).rejects.toMatchObject(CONFLICT);
    await settleGeneration(pool, { id, jobId }, BAD);
    await expect(promoting(id)).rejects.toMatchObject(CONFLICT);
    await expect(rollbackGeneration(pool, first.collectionId, NOON)).rejects.toMatchObject(
      CONFLICT,
    );
    const live = await findLiveGeneration(prisma, first.collectionId);
    const liveId = live?.id ?? asGenerationId(NOWHERE);
    await expect(promoting(liveId)).rejects.toMatchObject(CONFLICT);
    await expect(discardGeneration(pool, liveId, NOON)).rejects.toMatchObject(CONFLICT);
    await expect(discardGeneration(pool, id, NOON)).rejects.toMatchObject(CONFLICT); // its job isn't over
    await cancelJob(pool, jobId, NOON);
    await discardGeneration(pool, id, NOON);
    await expect(promoting(id)).rejects.toMatchObject(CONFLICT);
    await expect(discardGeneration(pool, id, NOON)).rejects.toMatchObject(CONFLICT);
    const nowhere = promoting(asGenerationId(NOWHERE));
    await expect(nowhere).rejects.toMatchObject(withCode('NOT_FOUND'));

    expect(await findLiveGeneration(prisma, first.collectionId)).toEqual(live);
  });

  test('without a text model nothing goes live', async () => {
    const first = await liveIndex();
    const key = await anotherSpace(first);
    const jobId = await newJob(key);
    const { id } = await beginGeneration(pool, jobId, { ...key, textModelId: null });
    await settleGeneration(pool, { id, jobId }, GOOD);

    await expect(promoteGeneration(pool, id, NOON)).rejects.toMatchObject(CONFLICT);
  });

  test('retrying the failed items of its job builds a failed generation again', async () => {
    const { id, jobId } = await begun(await anotherSpace(await liveIndex()));
    const now = NOON;
    const failed = [
      {
        key: 'checks',
        payload: null,
        state: 'FAILED' as const,
        reasonCode: 'CHECKS_FAILED',
        message: null,
      },
    ];
    await addFinishedItems(pool, jobId, failed, now);
    await queueJob(pool, jobId, {});
    await finishJob(pool, jobId, { result: {}, now });
    await settleGeneration(pool, { id, jobId }, BAD);
    expect(await stateOf(id)).toBe('FAILED');

    await retryFailedItems(pool, jobId);

    expect(await stateOf(id)).toBe('BUILDING');
    await settleGeneration(pool, { id, jobId }, GOOD);
    expect(await stateOf(id)).toBe('READY');
  });
});

describe('reclaiming', () => {
  async function reclaimAll(): Promise<void> {
    for (const one of await listDiscarded(pool)) {
      for await (const rows of reclaim(pool, one, NOON)) expect(rows).toBeGreaterThan(0);
    }
  }

  test('what a discarded generation alone had goes; what others need stays', async () => {
    const first = await liveIndex();
    const next = await anotherSpace(first);
    const elsewhere = { ...(await newIndex(database)), visionSpaceId: next.visionSpaceId };
    await createFirstGeneration(pool, { ...elsewhere, textModelId: null }, NOON);
    const id = await ready(next);
    await indexed(database, next, ['mine', 'shared']);
    await indexed(database, elsewhere, ['shared']);

    await discardGeneration(pool, id, NOON);
    await reclaimAll();

    expect(await countIndexed(pool, next)).toBe(0);
    expect(await countIndexed(pool, elsewhere)).toBe(1);
    const hashes = [sha256Of('mine'), sha256Of('shared')];
    const left = await findEmbedded(pool, next.visionSpaceId, hashes);
    expect(left).toEqual(new Set([sha256Of('shared').toString('hex')]));
    expect((await findGeneration(prisma, id))?.reclaimedAt).toEqual(NOON);
  });

  test('a space that is built again keeps the entries of the new one', async () => {
    const first = await liveIndex();
    const next = await anotherSpace(first);
    const id = await ready(next);
    await indexed(database, next, ['again']);
    await discardGeneration(pool, id, NOON);
    await begun(next);

    await reclaimAll();

    expect(await countIndexed(pool, next)).toBe(1);
    expect(await countUnindexed(pool, next)).toBe(0);
  });

  test('old scans that nobody asked for and that changed nothing are forgotten', async () => {
    const key = await liveIndex();
    const scan = async (createdBy: string, state: 'SKIPPED' | 'FAILED'): Promise<JobId> => {
      const { collectionId } = key;
      const job = { kind: 'INGEST' as const, collectionId, input: {}, createdBy, now: NOON };
      const { id } = await createJob(prisma, job);
      const item = { key: 'a.jpg', payload: null, state, reasonCode: 'x', message: null };
      await addFinishedItems(pool, id, [item], NOON);
      await queueJob(pool, id, {});
      await finishJob(pool, id, { result: {}, now: NOON });
      return id;
    };
    const idle = await scan('watcher', 'SKIPPED');
    const kept = [await scan('command line', 'SKIPPED'), await scan('schedule', 'FAILED')];

    expect(await forgetIdleScans(pool, NOON)).toBe(0);
    expect(await forgetIdleScans(pool, secondsLater(1))).toBe(1);

    expect(await findJob(prisma, idle)).toBeNull();
    for (const id of kept) expect(await findJob(prisma, id)).not.toBeNull();
  });
});
