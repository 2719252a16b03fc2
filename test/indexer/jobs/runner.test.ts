import { expect, test } from '@jest/globals';
import { pino } from 'pino';
import { z } from 'zod';
import { defineJob, type Work } from '../../../indexer/jobs/define-job.ts';
import { JobRunner } from '../../../indexer/jobs/runner.ts';
import type { JobId } from '../../../store/ids.ts';
import { cancelJob } from '../../../store/job-control.ts';
import { addItems } from '../../../store/job-items.ts';
import { countItems } from '../../../store/job-progress.ts';
import { createJob, findJob } from '../../../store/jobs.ts';
import { useDatabase } from '../../support/database.ts';
import { NOON } from '../../support/rows.ts';

const database = await useDatabase();
const { pool, prisma } = database;
const never = new AbortController().signal;

type Plan = (work: Work) => Promise<void>;

type Run = () => Promise<unknown>;
const nothing: Run = () => Promise.resolve();

/** Works on jobs that are planned like this, with this work for a batch and for storing it. `errors`: what it logged as such. */
function newRunner(
  plan: Plan,
  { run = nothing, commit = nothing }: { run?: Run; commit?: Run } = {},
): { runner: JobRunner<null>; errors: string[] } {
  const errors: string[] = [];
  const kind = defineJob<object, null>({
    ...{ kind: 'INGEST', input: z.object({}), batchSize: 10, isDryRun: () => false },
    plan: async (_input, _services, work) => {
      await plan(work);
      return {};
    },
    run: async (_input, items) => {
      await run();
      return async () => {
        await commit();
        return new Map(items.map(({ id }) => [id, { kind: 'done' }]));
      };
    },
    summarize: () => Promise.resolve({}),
  });
  const write = (line: string): void => void errors.push(line);
  const logger = pino({ level: 'error' }, { write });
  const options = { database, kinds: [kind], services: null, logger, pollMs: 20 };
  return { runner: new JobRunner(options), errors };
}

async function newJob(): Promise<JobId> {
  const job = { kind: 'INGEST', collectionId: null, input: {}, createdBy: 'test' } as const;
  return (await createJob(prisma, { ...job, now: NOON })).id;
}

const ITEM = { key: 'a.jpg', payload: null };

test('a job that is cancelled while it is planned ends without open items, and without noise', async () => {
  const id = await newJob();
  const { runner, errors } = newRunner(async ({ jobId }) => {
    await addItems(pool, jobId, [ITEM]);
    await cancelJob(pool, jobId, NOON);
    await addItems(pool, jobId, [{ ...ITEM, key: 'b.jpg' }]);
  });

  const job = await runner.runJob(id, never);

  expect(job.state).toBe('CANCELLED');
  expect(await countItems(pool, id)).toMatchObject({ total: 1, skipped: 1, open: 0 });
  expect(errors).toEqual([]);
});

test('a job that is deleted while it is planned is no error', async () => {
  const id = await newJob();
  const { runner, errors } = newRunner(async ({ jobId }) => {
    await prisma.job.delete({ where: { id: jobId } });
    await addItems(pool, jobId, [ITEM]);
  });

  await expect(runner.runJob(id, never)).rejects.toMatchObject({ code: 'NOT_FOUND' });

  expect(await findJob(prisma, id)).toBeNull();
  expect(errors).toEqual([]);
});

/** Ends every connection of the database, as a server that dies does; fails as whoever had one fails. */
function loseDatabase(): Promise<unknown> {
  return pool.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()
     ORDER BY pid = pg_backend_pid()`,
  );
}

function itemsOf(jobId: JobId): Promise<readonly object[]> {
  return prisma.jobItem.findMany({ where: { jobId } });
}

test('a database that dies under a batch costs its items no try', async () => {
  const id = await newJob();
  let losses = 0;
  const { runner } = newRunner(({ jobId }) => addItems(pool, jobId, [ITEM]), {
    run: async () => {
      if (++losses <= 4) await loseDatabase();
    },
  });

  const job = await runner.runJob(id, never);

  expect(job.state).toBe('SUCCEEDED');
  expect(await itemsOf(id)).toMatchObject([{ state: 'DONE', attempts: 1, lostLeases: 4 }]);
});

test('what a batch has made is stored when the database is back', async () => {
  const id = await newJob();
  const did: string[] = [];
  const { runner } = newRunner(({ jobId }) => addItems(pool, jobId, [ITEM]), {
    run: () => Promise.resolve(did.push('run')),
    commit: async () => {
      did.push('commit');
      if (did.length <= 4) await loseDatabase();
    },
  });

  const job = await runner.runJob(id, never);

  expect(job.state).toBe('SUCCEEDED');
  expect(did).toEqual(['run', 'commit', 'commit', 'commit', 'commit']);
  expect(await itemsOf(id)).toMatchObject([{ state: 'DONE', attempts: 1, lostLeases: 0 }]);
});

test('a database that dies under a plan does not count against the job', async () => {
  const id = await newJob();
  let losses = 0;
  const { runner } = newRunner(async ({ jobId }) => {
    if (++losses <= 4) await loseDatabase();
    await addItems(pool, jobId, [ITEM]);
  });

  const job = await runner.runJob(id, never);

  expect(job.state).toBe('SUCCEEDED');
});

/** A plan that takes until the worker is told to stop. */
function untilStopped({ signal }: Work): Promise<void> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => {
      reject(new Error('Stopped.'));
    });
  });
}

test('a job that takes long to plan holds up no other, and stops with the worker', async () => {
  const slow = await newJob();
  const quick = [await newJob(), await newJob()];
  const { runner, errors } = newRunner(async (work) => {
    if (work.jobId === slow) await untilStopped(work);
    else await addItems(pool, work.jobId, [ITEM]);
  });
  const stop = new AbortController();

  const running = runner.run(stop.signal);
  for (const id of quick) {
    while ((await findJob(prisma, id))?.state !== 'SUCCEEDED') await new Promise(setImmediate);
  }
  stop.abort();
  await running;

  expect(await findJob(prisma, slow)).toMatchObject({ state: 'PLANNED', plan: null });
  expect(errors).toEqual([]);
  await cancelJob(pool, slow, NOON);
});

test('a worker plans two jobs at once at most, and each once', async () => {
  const ids = [await newJob(), await newJob(), await newJob(), await newJob()];
  const planned: JobId[] = [];
  let atOnce = 0;
  let most = 0;
  const { runner } = newRunner(async ({ jobId }) => {
    planned.push(jobId);
    most = Math.max(most, ++atOnce);
    for (let i = 0; i < 5; i++) await countItems(pool, jobId);
    atOnce--;
  });
  const stop = new AbortController();

  const running = runner.run(stop.signal);
  for (const id of ids) {
    while ((await findJob(prisma, id))?.state !== 'SUCCEEDED') await new Promise(setImmediate);
  }
  stop.abort();
  await running;

  expect(planned.sort()).toEqual(ids.sort());
  expect(most).toBe(2);
});
