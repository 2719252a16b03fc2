import { describe, expect, test } from '@jest/globals';
import type { JobId } from '../../store/ids.ts';
import {
  cancelJob,
  failJob,
  finishJob,
  pauseJob,
  queueJob,
  resumeJob,
  retryFailedItems,
} from '../../store/job-control.ts';
import {
  addItems,
  claimItems,
  completeItems,
  extendLease,
  listItems,
  releaseItems,
  type Claim,
  type Outcome,
} from '../../store/job-items.ts';
import { countItems, measureRate, measureRates } from '../../store/job-progress.ts';
import {
  createJob,
  findJob,
  getJob,
  listJobs,
  listOpenJobs,
  type NewJob,
} from '../../store/jobs.ts';
import { addFinishedItems, addSkippedItems } from '../../store/ledger.ts';
import { inTransaction } from '../../store/transaction.ts';
import { useDatabase } from '../support/database.ts';
import { withCode } from '../support/errors.ts';
import { indexImages, newIndex, NOON, secondsLater } from '../support/rows.ts';

const database = await useDatabase();
const { pool, prisma } = database;
const LEASE_MS = 30_000;
const DONE: Outcome = { kind: 'done' };

function newJob(overrides: Partial<NewJob> = {}): NewJob {
  return {
    ...{ kind: 'INGEST', collectionId: null, input: {}, createdBy: 'test', now: NOON },
    ...overrides,
  };
}

/** A queued job with so many items. */
async function jobWith(items: number, overrides: Partial<NewJob> = {}): Promise<JobId> {
  const { id } = await createJob(prisma, newJob(overrides));
  const keys = Array.from({ length: items }, (_, i) => ({ key: `${i}.jpg`, payload: { i } }));
  await addItems(pool, id, keys);
  await queueJob(pool, id, { items });
  return id;
}

function claim(jobId: JobId, now = NOON, limit = 10): Promise<Claim | null> {
  return claimItems(pool, { jobId, limit, leaseMs: LEASE_MS, now });
}

async function claimed(jobId: JobId, now = NOON, limit = 10): Promise<Claim> {
  const taken = await claim(jobId, now, limit);
  if (taken === null) throw new Error('There was nothing to claim.');
  return taken;
}

function complete(taken: Claim, outcome: Outcome, now = NOON): Promise<void> {
  const outcomes = new Map(taken.items.map(({ id }) => [id, outcome]));
  return inTransaction(pool, (client) => completeItems(client, taken, outcomes, now));
}

const LOST = withCode('CONFLICT');

describe('claiming', () => {
  test('two claimers never get the same item, and together all', async () => {
    const job = await jobWith(200);

    const takers = Array.from({ length: 8 }, async () => {
      const keys: string[] = [];
      for (let taken = await claim(job); taken !== null; taken = await claim(job)) {
        keys.push(...taken.items.map(({ key }) => key));
      }
      return keys;
    });
    const keys = (await Promise.all(takers)).flat();

    expect(keys).toHaveLength(200);
    expect(new Set(keys).size).toBe(200);
  });

  test('gives items in order with their payload, and starts the job', async () => {
    const job = await jobWith(3);

    const { items } = await claimed(job, NOON, 2);

    expect(items).toMatchObject([
      { key: '0.jpg', payload: { i: 0 }, attempt: 1 },
      { key: '1.jpg', payload: { i: 1 }, attempt: 1 },
    ]);
    expect(await getJob(prisma, job)).toMatchObject({ state: 'RUNNING', startedAt: NOON });
  });

  test('an item whose lease ended goes to the next, and its first holder is refused', async () => {
    const job = await jobWith(2);
    const first = await claimed(job);
    expect(await claim(job, secondsLater(29))).toBe(null);

    const second = await claimed(job, secondsLater(30));

    expect(second.items.map(({ key }) => key)).toEqual(['0.jpg', '1.jpg']);
    expect(second.items[0]?.attempt).toBe(1); // the first try had no outcome
    await expect(complete(first, DONE)).rejects.toMatchObject(LOST);
    await expect(extendLease(pool, first, secondsLater(99))).rejects.toMatchObject(LOST);
    await complete(second, DONE);
    expect(await countItems(pool, job)).toMatchObject({ done: 2, open: 0 });
  });

  test('a lease that was extended holds', async () => {
    const job = await jobWith(1);
    const taken = await claimed(job);

    await extendLease(pool, taken, secondsLater(60));

    expect(await claim(job, secondsLater(59))).toBe(null);
    expect(await claim(job, secondsLater(60))).not.toBe(null);
  });

  test('an item that kills its workers is given out alone and in the end fails', async () => {
    const job = await jobWith(3);
    const sizes: number[] = [];
    let seconds = 0;
    for (let lost = 0; lost < 2; lost++, seconds += 30) {
      sizes.push((await claimed(job, secondsLater(seconds))).items.length);
    }
    for (; seconds < 600; seconds += 30) {
      const taken = await claim(job, secondsLater(seconds));
      if (taken === null) break;
      sizes.push(taken.items.length);
      if (taken.items[0]?.key !== '1.jpg') await complete(taken, DONE);
    }

    expect(sizes.slice(0, 2)).toEqual([3, 3]);
    expect(new Set(sizes.slice(2))).toEqual(new Set([1]));
    const failed = await listItems(pool, { jobId: job, state: 'FAILED', after: null, limit: 9 });
    expect(failed).toMatchObject([{ key: '1.jpg', reasonCode: 'WORKER_LOST' }]);
    expect(await countItems(pool, job)).toMatchObject({ done: 2, failed: 1, open: 0 });
  });

  test('released items are as if never claimed', async () => {
    const job = await jobWith(1);

    await releaseItems(pool, await claimed(job));

    expect((await claimed(job)).items[0]?.attempt).toBe(1);
  });
});

describe('completing', () => {
  test('results and outcomes are there together or not at all', async () => {
    const key = await newIndex(database);
    const job = await jobWith(1, { collectionId: key.collectionId });
    const lost = await claimed(job);
    await claimed(job, secondsLater(30)); // somebody else has it now

    const committing = inTransaction(pool, async (client) => {
      await indexImages(client, key, ['photo']);
      await completeItems(client, lost, new Map([[lost.items[0]?.id ?? 0n, DONE]]), NOON);
    });

    await expect(committing).rejects.toMatchObject(LOST);
    expect(await prisma.image.count({ where: { collectionId: key.collectionId } })).toBe(0);
  });

  test('every outcome is kept with its reason, whatever bytes are in it', async () => {
    const job = await jobWith(3);
    const { items, ...rest } = await claimed(job);
    const [a, b, c] = items.map(({ id }) => id);
    const outcomes = new Map<bigint, Outcome>([
      [a ?? 0n, DONE],
      [b ?? 0n, { kind: 'failed', reasonCode: 'IMAGE_UNREADABLE', message: 'NUL \0 and \ud800.' }],
      [c ?? 0n, { kind: 'skipped', reasonCode: 'UNCHANGED' }],
    ]);

    await inTransaction(pool, (db) => completeItems(db, { ...rest, items }, outcomes, NOON));

    const counts = { total: 3, open: 0, done: 1, failed: 1, skipped: 1 };
    expect(await countItems(pool, job)).toEqual(counts);
    const failed = await listItems(pool, { jobId: job, state: 'FAILED', after: null, limit: 9 });
    expect(failed).toMatchObject([{ key: '1.jpg', message: 'NUL  and \ufffd.', attempts: 1 }]);
  });

  test('a retry waits for its time and fails after the last attempt', async () => {
    const job = await jobWith(1, { maxAttempts: 2 });
    const retry = (notBefore: Date): Outcome => ({
      ...{ kind: 'retry', reasonCode: 'ENCODER_UNAVAILABLE', message: 'Busy.', notBefore },
    });

    await complete(await claimed(job), retry(secondsLater(5)));
    expect(await claim(job, secondsLater(4))).toBe(null);
    const second = await claimed(job, secondsLater(5));
    await complete(second, retry(secondsLater(9)));

    expect(second.items[0]?.attempt).toBe(2);
    expect(await countItems(pool, job)).toMatchObject({ failed: 1, open: 0 });
  });

  test('the rate is items a second since the start, later over the last minute', async () => {
    const job = await jobWith(20);
    expect(await measureRate(pool, job, NOON)).toBe(null);
    await complete(await claimed(job), DONE, secondsLater(5));
    expect(await measureRate(pool, job, secondsLater(10))).toBe(1);

    await complete(await claimed(job, secondsLater(100)), DONE, secondsLater(110));

    expect(await measureRate(pool, job, secondsLater(120))).toBeCloseTo(10 / 60);
  });
});

test('rates of several jobs are measured at once; those without one are left out', async () => {
  const [fast, slow, idle] = [await jobWith(20), await jobWith(20), await jobWith(1)];
  await complete(await claimed(fast), DONE, secondsLater(5));
  await complete(await claimed(slow, NOON, 5), DONE, secondsLater(5));

  const rates = await measureRates(pool, [fast, slow, idle], secondsLater(10));

  expect(rates).toEqual(
    new Map([
      [fast, 1],
      [slow, 0.5],
    ]),
  );
});

describe('steering', () => {
  test('a paused job gives nothing until it is resumed; what is under way is finished', async () => {
    const job = await jobWith(20);
    const underWay = await claimed(job);

    await pauseJob(pool, job);
    expect(await claim(job)).toBe(null);
    await complete(underWay, DONE);
    await resumeJob(pool, job);

    expect((await claimed(job)).items).toHaveLength(10);
    expect(await countItems(pool, job)).toMatchObject({ done: 10, open: 10 });
  });

  test('a cancelled job skips what is open and refuses what is under way', async () => {
    const job = await jobWith(15);
    const underWay = await claimed(job);

    await cancelJob(pool, job, secondsLater(3));

    await expect(complete(underWay, DONE)).rejects.toMatchObject(LOST);
    expect(await countItems(pool, job)).toMatchObject({ skipped: 15, open: 0 });
    const expected = { state: 'CANCELLED', finishedAt: secondsLater(3) };
    expect(await getJob(prisma, job)).toMatchObject(expected);
    await expect(resumeJob(pool, job)).rejects.toMatchObject(LOST);
  });

  test('cancelling while workers commit neither deadlocks nor loses count', async () => {
    const job = await jobWith(100);
    const claims = await Promise.all(Array.from({ length: 5 }, () => claimed(job, NOON, 20)));

    const cancelling = cancelJob(pool, job, NOON);
    const results = await Promise.allSettled(claims.map((taken) => complete(taken, DONE)));
    await cancelling;

    const done = results.filter(({ status }) => status === 'fulfilled').length * 20;
    const counts = await countItems(pool, job);
    expect(counts).toMatchObject({ open: 0, done, skipped: 100 - done });
  });

  test('a job ends when its last item has an outcome', async () => {
    const job = await jobWith(1);
    const taken = await claimed(job);
    const end = { result: { embedded: 1 }, now: secondsLater(9) };
    expect(await finishJob(pool, job, end)).toBe(false);

    await complete(taken, DONE);

    expect(await finishJob(pool, job, end)).toBe(true);
    const expected = { state: 'SUCCEEDED', result: { embedded: 1 }, finishedAt: secondsLater(9) };
    expect(await getJob(prisma, job)).toMatchObject(expected);
  });

  test('retrying what failed queues the job again with those items alone', async () => {
    const job = await jobWith(2);
    const { items, ...rest } = await claimed(job);
    const failed: Outcome = { kind: 'failed', reasonCode: 'TIMEOUT', message: 'Too slow.' };
    const outcomes = new Map(
      [...items.entries()].map(([i, { id }]) => [id, i === 0 ? DONE : failed]),
    );
    await inTransaction(pool, (db) => completeItems(db, { ...rest, items }, outcomes, NOON));
    await finishJob(pool, job, { result: null, now: NOON });

    expect(await retryFailedItems(pool, job)).toBe(1);

    expect(await getJob(prisma, job)).toMatchObject({ state: 'QUEUED', finishedAt: null });
    expect((await claimed(job)).items).toMatchObject([{ key: '1.jpg', attempt: 1 }]);
  });

  test('a job that cannot go on says why', async () => {
    const job = await jobWith(2);

    await failJob(pool, job, 'The source folder is gone.', NOON);

    const expected = { state: 'FAILED', result: { message: 'The source folder is gone.' } };
    expect(await getJob(prisma, job)).toMatchObject(expected);
    expect(await countItems(pool, job)).toMatchObject({ skipped: 2, open: 0 });
  });

  test('what a failed job never came to can be retried', async () => {
    const job = await jobWith(3);
    const { items, ...rest } = await claimed(job, NOON, 1);
    await complete({ ...rest, items }, DONE);
    await failJob(pool, job, 'The model is another.', NOON);

    expect(await retryFailedItems(pool, job)).toBe(2);

    const expected = { state: 'QUEUED', finishedAt: null, result: null };
    expect(await getJob(prisma, job)).toMatchObject(expected);
    expect((await claimed(job)).items).toMatchObject([{ key: '1.jpg' }, { key: '2.jpg' }]);
  });

  test('what a cancelled job skipped stays skipped', async () => {
    const job = await jobWith(1);
    await cancelJob(pool, job, NOON);

    await expect(retryFailedItems(pool, job)).rejects.toMatchObject(LOST);
  });

  test('a job whose planning failed is planned again, with or without items', async () => {
    const { id: empty } = await createJob(prisma, newJob());
    const { id: begun } = await createJob(prisma, newJob());
    await addItems(pool, begun, [{ key: 'a.jpg', payload: null }]);

    for (const [id, items] of [
      [empty, 0],
      [begun, 1],
    ] as const) {
      await failJob(pool, id, 'The disk was away.', NOON);
      expect(await retryFailedItems(pool, id)).toBe(items);
      const expected = { state: 'PLANNED', plan: null, result: null, finishedAt: null };
      expect(await getJob(prisma, id)).toMatchObject(expected);
      expect(await countItems(pool, id)).toMatchObject({ total: items, open: items });
    }
  });

  test('a job that failed with nothing left to do is queued, one that succeeded stays', async () => {
    const [failed, succeeded] = [await jobWith(1), await jobWith(1)];
    for (const job of [failed, succeeded]) await complete(await claimed(job), DONE);
    await failJob(pool, failed, 'At the very end.', NOON);
    await finishJob(pool, succeeded, { result: { embedded: 1 }, now: NOON });

    for (const job of [failed, succeeded]) expect(await retryFailedItems(pool, job)).toBe(0);

    expect(await getJob(prisma, failed)).toMatchObject({ state: 'QUEUED' });
    const untouched = { state: 'SUCCEEDED', result: { embedded: 1 }, finishedAt: NOON };
    expect(await getJob(prisma, succeeded)).toMatchObject(untouched);
  });
});

test('the same idempotency key gives the same job, but not to somebody else', async () => {
  const job = newJob({ idempotencyKey: 'once', createdBy: 'a' });

  const [first, second] = await Promise.all([createJob(prisma, job), createJob(prisma, job)]);
  const foreign = await createJob(prisma, { ...job, createdBy: 'b' });

  expect(second.id).toBe(first.id);
  expect(foreign.id).not.toBe(first.id);
});

test('an item added twice is there once, and a planned job gives nothing', async () => {
  const { id } = await createJob(prisma, newJob());
  const items = [{ key: 'a\nb.jpg', payload: null }];
  await addItems(pool, id, items);
  await addItems(pool, id, items);

  expect(await countItems(pool, id)).toMatchObject({ total: 1 });
  expect(await claim(id)).toBe(null);
  await queueJob(pool, id, {});
  await expect(queueJob(pool, id, {})).rejects.toMatchObject(LOST);
});

describe('adding items', () => {
  const skipped = { keys: ['b.jpg'], reasonCode: 'UNCHANGED', now: NOON };
  const failed = [
    { key: 'c.jpg', payload: null, state: 'FAILED', reasonCode: 'SYMLINK', message: null } as const,
  ];

  /** Every way to add one. */
  function additions(id: JobId): Promise<void>[] {
    return [
      addItems(pool, id, [{ key: 'a.jpg', payload: null }]),
      addSkippedItems(pool, id, skipped),
      addFinishedItems(pool, id, failed, NOON),
    ];
  }

  test('works while the job is planned', async () => {
    const { id } = await createJob(prisma, newJob());

    await Promise.all(additions(id));

    expect(await countItems(pool, id)).toMatchObject({ total: 3, open: 1, skipped: 1, failed: 1 });
  });

  test('is refused once the job was cancelled or deleted', async () => {
    const { id } = await createJob(prisma, newJob());
    await cancelJob(pool, id, NOON);
    const { id: deleted } = await createJob(prisma, newJob());
    await prisma.job.delete({ where: { id: deleted } });

    const cancelled = await Promise.allSettled(additions(id));
    const gone = await Promise.allSettled(additions(deleted));

    for (const result of cancelled) expect(result).toMatchObject({ reason: LOST });
    for (const result of gone) expect(result).toMatchObject({ reason: withCode('NOT_FOUND') });
    expect(await countItems(pool, id)).toMatchObject({ total: 0 });
  });

  test('while somebody cancels leaves nothing open, whoever is first', async () => {
    const { id } = await createJob(prisma, newJob());
    const adding = Array.from({ length: 20 }, (_, i) =>
      addItems(pool, id, [{ key: `${i}.jpg`, payload: null }]),
    );

    const [, ...results] = await Promise.allSettled([cancelJob(pool, id, NOON), ...adding]);

    const added = results.filter(({ status }) => status === 'fulfilled').length;
    expect(await countItems(pool, id)).toMatchObject({ total: added, skipped: added, open: 0 });
  });
});

test('jobs are listed newest first, page by page, and by collection', async () => {
  const { collectionId } = await newIndex(database);
  const ids: JobId[] = [];
  for (let i = 0; i < 3; i++) {
    ids.unshift(await jobWith(0, { collectionId, now: secondsLater(i) }));
  }
  const page = { collectionId, state: null, limit: 2 };

  const first = await listJobs(prisma, { ...page, after: null });
  const second = await listJobs(prisma, { ...page, after: first.at(-1)?.id ?? null });

  expect([...first, ...second].map(({ id }) => id)).toEqual(ids);
  const open = await listOpenJobs(prisma, ['INGEST']);
  expect(open.map(({ id }) => id)).toEqual(expect.arrayContaining(ids));
  expect(await findJob(prisma, 'no uuid')).toBe(null);
});
