import { expect, test } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { planIngest } from '../../../indexer/ingest/plan.ts';
import type { CollectionId, JobId } from '../../../store/ids.ts';
import { countItems } from '../../../store/job-items.ts';
import { cancelJob } from '../../../store/job-control.ts';
import { createJob } from '../../../store/jobs.ts';
import { addSource, type SourceRecord } from '../../../store/sources.ts';
import { temporaryFolder } from '../../support/bundles.ts';
import { useDatabase } from '../../support/database.ts';
import { withCode } from '../../support/errors.ts';
import { newIndex, NOON } from '../../support/rows.ts';

const database = await useDatabase();
const { pool, prisma } = database;

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
  const options = { ...planned, prune: true, dryRun: false, now: NOON };

  const planning = planIngest(database, { ...options, signal: AbortSignal.abort() });

  await expect(planning).rejects.toMatchObject(withCode('ABORTED'));
  expect(await countItems(pool, planned.jobId)).toMatchObject({ total: 0 });
});

test.each([{ dryRun: false }, { dryRun: true }])(
  'planning stops when the job was cancelled meanwhile: %j',
  async ({ dryRun }) => {
    const planned = await newPlan();
    await cancelJob(pool, planned.jobId, NOON);
    const options = { ...planned, prune: true, now: NOON, signal: new AbortController().signal };

    const planning = planIngest(database, { ...options, dryRun });

    await expect(planning).rejects.toMatchObject(withCode('CONFLICT'));
    expect(await countItems(pool, planned.jobId)).toMatchObject({ total: 0 });
  },
);
