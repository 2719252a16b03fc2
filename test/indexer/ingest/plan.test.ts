import { describe, expect, test } from '@jest/globals';
import { stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { planIngest } from '../../../indexer/ingest/plan.ts';
import type { CollectionId, JobId } from '../../../store/ids.ts';
import { putImages } from '../../../store/images.ts';
import { countItems } from '../../../store/job-progress.ts';
import { cancelJob } from '../../../store/job-control.ts';
import { createJob } from '../../../store/jobs.ts';
import { countOutcomes } from '../../../store/ledger.ts';
import { addSource, type SourceRecord } from '../../../store/sources.ts';
import { temporaryFolder } from '../../support/bundles.ts';
import { useDatabase } from '../../support/database.ts';
import { withCode } from '../../support/errors.ts';
import { imageWith, newIndex, NOON } from '../../support/rows.ts';

const database = await useDatabase();
const { pool, prisma } = database;

const never = new AbortController().signal;

interface Planned {
  readonly jobId: JobId;
  readonly collectionId: CollectionId;
  readonly sources: readonly SourceRecord[];
}

/** A job that is to be planned, over one source with one file. */
async function newPlan(): Promise<Planned> {
  const { collectionId } = await newIndex(database);
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'a.jpg'), 'x');
  const source = await addSource(prisma, { collectionId, name: 'src', folder });
  const { id: jobId } = await createJob(prisma, {
    ...{ kind: 'INGEST', collectionId, input: {}, createdBy: 'test', now: NOON },
  });
  return { jobId, collectionId, sources: [source] };
}

test('planning that is told to stop stops, and calls no source unreadable', async () => {
  const planned = await newPlan();
  const options = { ...planned, prune: true, dryRun: false, settleSeconds: 0, now: NOON };

  const planning = planIngest(database, { ...options, signal: AbortSignal.abort() });

  await expect(planning).rejects.toMatchObject(withCode('ABORTED'));
  expect(await countItems(pool, planned.jobId)).toMatchObject({ total: 0 });
});

test.each([{ dryRun: false }, { dryRun: true }])(
  'planning stops when the job was cancelled meanwhile: %j',
  async ({ dryRun }) => {
    const planned = await newPlan();
    await cancelJob(pool, planned.jobId, NOON);
    const options = { ...planned, prune: true, settleSeconds: 0, now: NOON, signal: never };

    const planning = planIngest(database, { ...options, dryRun });

    await expect(planning).rejects.toMatchObject(withCode('CONFLICT'));
    expect(await countItems(pool, planned.jobId)).toMatchObject({ total: 0 });
  },
);

describe('a file that was written a moment ago', () => {
  /** What becomes of `a.jpg`, written so many seconds ago, in an ingest that lets files settle for so long. */
  async function outcomeOf(ageSeconds: number, settleSeconds: number): Promise<unknown> {
    const planned = await newPlan();
    const time = Date.now() / 1000 - ageSeconds;
    for (const { folder } of planned.sources) await utimes(join(folder, 'a.jpg'), time, time);
    const options = { ...planned, prune: false, dryRun: false, now: NOON, signal: never };
    const { files, toRead } = await planIngest(database, { ...options, settleSeconds });
    const [outcome] = await countOutcomes(pool, planned.jobId);
    return { files, toRead, outcome };
  }

  const READ = { files: 1, toRead: 1, outcome: { state: 'PENDING', reasonCode: null, count: 1 } };
  const LEFT = {
    files: 1,
    toRead: 0,
    outcome: { state: 'SKIPPED', reasonCode: 'SETTLING', count: 1 },
  };

  test.each<[string, number, number, unknown]>([
    ['is left alone until it settles', 100, 3600, LEFT],
    ['is read when it has settled', 100, 60, READ],
    ['is read at once where nothing settles', 0, 0, READ],
    ['is left alone, too, when its clock is a little ahead', -0.5, 60, LEFT],
    ['is read at once when its time lies in the future and would never settle', -100, 60, READ],
    ['is read at once where nothing settles, whatever its clock', -0.5, 0, READ],
  ])('%s', async (_name, ageSeconds, settleSeconds, expected) => {
    expect(await outcomeOf(ageSeconds, settleSeconds)).toEqual(expected);
  });

  test('is none that is as it was when it was read', async () => {
    const planned = await newPlan();
    const [source] = planned.sources;
    if (source === undefined) throw new Error('There is one.');
    const { size, mtimeNs } = await stat(join(source.folder, 'a.jpg'), { bigint: true });
    const image = { path: 'src/a.jpg', bytes: Number(size), fileMtimeNs: mtimeNs };
    await putImages(pool, planned.collectionId, [imageWith({ ...image, sourceId: source.id })]);
    const options = { ...planned, prune: false, dryRun: false, now: NOON, signal: never };

    const plan = await planIngest(database, { ...options, settleSeconds: 3600 });

    expect(plan).toMatchObject({ files: 1, toRead: 0, unchanged: 1 });
  });
});
