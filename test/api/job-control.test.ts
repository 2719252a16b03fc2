import { beforeAll, expect, test } from '@jest/globals';
import { requireIdOf } from '../../api/node-ids.ts';
import { asJobId } from '../../store/ids.ts';
import { queueJob } from '../../store/job-control.ts';
import { useApi, type TestApi } from '../support/api.ts';

let api: TestApi;
let folders = 0;

beforeAll(async () => {
  api = await useApi();
});

interface JobAnswer {
  readonly job: { readonly id: string; readonly state: string } | null;
  readonly userErrors: readonly { readonly code: string; readonly field: readonly string[] }[];
}

/** A collection of four photos and its ingest, which no worker has taken yet. */
async function queuedIngest(): Promise<{ readonly collection: string; readonly jobId: string }> {
  const collection = `jobs ${++folders}`;
  const folder = await api.copyPhotos(['scarlet-macaw', 'koala', 'goldfish', 'windmill-1']);
  await api.query(
    `mutation ($name: String!, $folder: String!) {
      createCollection(input: { name: $name }) { userErrors { code } }
      addSource(input: { collection: $name, folder: $folder }) { userErrors { code } }
    }`,
    { variables: { name: collection, folder } },
  );
  const started = await api.query(
    `mutation ($name: String!) { startIngest(input: { collection: $name }) { job { id } } }`,
    { variables: { name: collection } },
  );
  const { startIngest } = started.data as { startIngest: { job: { id: string } } };
  return { collection, jobId: startIngest.job.id };
}

async function change(mutation: string, id: string): Promise<JobAnswer> {
  const { data } = await api.query(
    `mutation ($id: ID!) { ${mutation}(input: { id: $id }) { job { id state } userErrors { code field } } }`,
    { variables: { id } },
  );
  const answer = (data as Readonly<Record<string, JobAnswer>>)[mutation];
  if (!answer) throw new Error(`${mutation} answered nothing.`);
  return answer;
}

async function countImages(collection: string): Promise<number> {
  const { data } = await api.query(
    `query ($name: String!) { images(collection: $name) { totalCount } }`,
    { variables: { name: collection } },
  );
  return (data as { images: { totalCount: number } }).images.totalCount;
}

test('a paused job waits, and goes on when it is resumed', async () => {
  const { jobId } = await queuedIngest();
  await queueJob(api.services.database.pool, asJobId(requireIdOf('Job', jobId)), {});

  expect((await change('pauseJob', jobId)).job?.state).toBe('PAUSED');
  expect(await api.runJob(jobId)).toMatchObject({ state: 'PAUSED' });

  expect((await change('resumeJob', jobId)).job?.state).toBe('QUEUED');
  expect(await api.runJob(jobId)).toMatchObject({ state: 'SUCCEEDED' });
});

test('a cancelled job does nothing more, and can not be resumed', async () => {
  const { collection, jobId } = await queuedIngest();

  expect((await change('cancelJob', jobId)).job?.state).toBe('CANCELLED');

  await api.runJob(jobId);
  expect(await countImages(collection)).toBe(0);
  const refused = await change('resumeJob', jobId);
  expect(refused).toEqual({
    job: null,
    userErrors: [{ code: 'CONFLICT', field: ['input', 'id'] }],
  });
});

test('retrying a job without failures changes nothing', async () => {
  const { jobId } = await queuedIngest();
  await api.runJob(jobId);

  expect((await change('retryFailedItems', jobId)).job?.state).toBe('SUCCEEDED');
});

test('what is no job of this key is not found', async () => {
  const { jobId } = await queuedIngest();
  await api.query(
    'mutation { createCollection(input: { name: "other" }) { userErrors { code } } }',
  );
  const foreign = await api.keyFor('ADMIN', ['other']);

  const { data } = await api.query(
    `mutation ($id: ID!) { cancelJob(input: { id: $id }) { userErrors { code } } }`,
    { variables: { id: jobId }, key: foreign },
  );

  expect(data).toEqual({ cancelJob: { userErrors: [{ code: 'NOT_FOUND' }] } });
  expect((await change('pauseJob', 'nonsense')).userErrors).toMatchObject([{ code: 'NOT_FOUND' }]);
});
