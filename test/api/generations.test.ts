import { beforeAll, describe, expect, test } from '@jest/globals';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { encodeNodeId } from '../../api/node-ids.ts';
import { Bundle } from '../../models/bundle.ts';
import { narrowBundle } from '../../models/narrow-bundle.ts';
import { TINY_BUNDLE } from '../support/bundles.ts';
import { imageIdOf, textAt, useApi, valuesAt, type Answer, type TestApi } from '../support/api.ts';

const PHOTOS = ['scarlet-macaw', 'windmill', 'striped-cichlid', 'koala'];

let api: TestApi;
beforeAll(async () => {
  api = await useApi({ MODEL_BUNDLE: TINY_BUNDLE });
  const out = join(api.dataFolder, 'bundles', 'narrow');
  await narrowBundle({ base: await Bundle.open(TINY_BUNDLE), dimensions: 8, out });
});

const REINDEX = `mutation ($input: StartReindexInput!) {
  startReindex(input: $input) {
    job { id state plan { files toEmbed reused estimatedBytes estimatedSeconds } }
    userErrors { code field }
  }
}`;
const GENERATIONS = `query ($collection: String!) {
  generations(collection: $collection) {
    id number state images discardedAt
    visionSpace { name dimensions isAvailable } textModel { name isAvailable }
    checks { name passed detail } job { id kind } collection { name }
  }
}`;
const SEARCH = `query ($input: SearchInput!, $first: Int, $after: String) {
  search(input: $input, first: $first, after: $after) {
    edges { node { path } } pageInfo { endCursor } generation { number } textModel { name }
  }
}`;

function reindex(collection: string, more: object = {}): Promise<Answer> {
  const input = { collection, visionSpace: spaceName(), ...more };
  return api.query(REINDEX, { variables: { input } });
}

function spaceName(): string {
  const found = narrowSpace;
  if (found === null) throw new Error('The narrow space is not known yet.');
  return found;
}

/** The folder of bundles is looked at every two seconds. */
let narrowSpace: string | null = null;
beforeAll(async () => {
  const deadline = performance.now() + 20_000;
  while (narrowSpace === null && performance.now() < deadline) {
    const answer = await api.query('{ visionSpaces { name dimensions isAvailable } }');
    const spaces = valuesAt(answer, 'visionSpaces') as { name: string; dimensions: number }[];
    narrowSpace = spaces.find(({ dimensions }) => dimensions === 8)?.name ?? null;
    await pause(200);
  }
}, 30_000);

async function built(collection: string): Promise<void> {
  await api.runJob(textAt(await reindex(collection), 'startReindex.job.id'));
}

function search(collection: string, more: object = {}, page: object = {}): Promise<Answer> {
  const input = { collection, text: 'a bird', ...more };
  return api.query(SEARCH, { variables: { input, first: 2, ...page } });
}

async function generationId(collection: string, number: number): Promise<string> {
  const answer = await api.query(GENERATIONS, { variables: { collection } });
  const all = valuesAt(answer, 'generations') as { id: string; number: number }[];
  return all.find((one) => one.number === number)?.id ?? '';
}

function change(mutation: string, input: object): Promise<Answer> {
  const type = `${mutation.slice(0, 1).toUpperCase()}${mutation.slice(1)}Input`;
  const fields = 'generation { number state } userErrors { code field message }';
  const document = `mutation ($input: ${type}!) { ${mutation}(input: $input) { ${fields} } }`;
  return api.query(document, { variables: { input } });
}

describe('a reindex through the API', () => {
  test('a bundle that was put into the folder offers its vision space without a restart', () => {
    expect(narrowSpace).not.toBeNull();
  });

  test('is planned, built, compared, promoted and rolled back while searches go on', async () => {
    await api.indexedCollection('whole', PHOTOS);
    const dry = await reindex('whole', { dryRun: true });
    const planned = await api.runJob(textAt(dry, 'startReindex.job.id'));
    expect(planned).toMatchObject({ state: 'PLANNED', plan: { files: 4, toEmbed: 4, reused: 0 } });

    await built('whole');

    const answer = await api.query(GENERATIONS, { variables: { collection: 'whole' } });
    expect(valuesAt(answer, 'generations')).toMatchObject([
      {
        ...{ number: 2, state: 'READY', images: 4, job: { kind: 'REINDEX' } },
        ...{ visionSpace: { dimensions: 8, isAvailable: true }, textModel: { isAvailable: true } },
        ...{ collection: { name: 'whole' } },
      },
      { number: 1, state: 'LIVE', images: 4 },
    ]);
    expect(valuesAt(answer, 'generations.checks.passed')).toEqual([true, true, true, true, true]);
    const [id, before] = [await generationId('whole', 2), await search('whole')];
    expect(valuesAt(before, 'search.generation.number')).toEqual([1]);
    const beside = await search('whole', { generation: id });
    expect(valuesAt(beside, 'search.generation.number')).toEqual([2]);

    const promoted = await change('promoteGeneration', { id });
    expect(promoted.data).toMatchObject({
      promoteGeneration: { generation: { number: 2, state: 'LIVE' }, userErrors: [] },
    });
    const after = await search('whole');
    expect(valuesAt(after, 'search.generation.number')).toEqual([2]);
    expect(valuesAt(after, 'search.edges.node.path')).toHaveLength(2);
    const cursor = textAt(before, 'search.pageInfo.endCursor');
    expect((await search('whole', {}, { after: cursor })).codes).toEqual(['CURSOR_EXPIRED']);

    const back = await change('rollbackGeneration', { collection: 'whole' });
    expect(valuesAt(back, 'rollbackGeneration.generation.number')).toEqual([1]);
    expect(valuesAt(await search('whole'), 'search.edges.node.path')).toEqual(
      valuesAt(before, 'search.edges.node.path'),
    );
    const gone = await change('discardGeneration', { id });
    expect(valuesAt(gone, 'discardGeneration.userErrors')).toEqual([]);
    expect((await search('whole', { generation: id })).codes).toEqual(['GENERATION_NOT_READY']);
  });

  test('pictures and classification follow the switch', async () => {
    await api.indexedCollection('pictures', PHOTOS);
    await built('pictures');
    await change('promoteGeneration', { id: await generationId('pictures', 2) });
    const imageId = await imageIdOf(api, 'pictures', 'windmill');

    const similar = await api.query(
      'query ($id: ID!) { similarImages(imageId: $id) { generation { number } edges { rank } } }',
      { variables: { id: imageId } },
    );
    const classified = await api.query(
      'query ($id: ID!) { classifyImage(input: { imageId: $id, labels: ["a", "b"] }) { label } }',
      { variables: { id: imageId } },
    );

    expect(valuesAt(similar, 'similarImages.generation.number')).toEqual([2]);
    expect(valuesAt(similar, 'similarImages.edges.rank')).toHaveLength(3);
    expect(valuesAt(classified, 'classifyImage.label')).toHaveLength(2);
  });

  test('canaries keep a generation out that answers otherwise, and say why', async () => {
    await api.indexedCollection('canaries', PHOTOS);
    const ids = await Promise.all(PHOTOS.map((photo) => imageIdOf(api, 'canaries', photo)));
    const canaries = ids.map((id) => ({ text: 'a bird', imageIds: [id], within: 1 }));

    const started = await reindex('canaries', { canaries });
    const job = await api.runJob(textAt(started, 'startReindex.job.id'));

    expect(job.state).toBe('SUCCEEDED');
    const answer = await api.query(GENERATIONS, { variables: { collection: 'canaries' } });
    expect(valuesAt(answer, 'generations.state')).toEqual(['FAILED', 'LIVE']);
    const failures = await api.query(
      `query ($id: ID!) { job(id: $id) { generation { number }
        failures { edges { node { path reasonCode image { id } } } } } }`,
      { variables: { id: textAt(started, 'startReindex.job.id') } },
    );
    expect(valuesAt(failures, 'job.failures.edges.node')).toEqual([
      { path: 'checks', reasonCode: 'CHECKS_FAILED', image: null },
    ]);
    const refused = await change('promoteGeneration', { id: await generationId('canaries', 2) });
    expect(valuesAt(refused, 'promoteGeneration.userErrors.code')).toEqual(['CONFLICT']);
  });
});

describe('what can not be done', () => {
  const NOWHERE = encodeNodeId('Generation', '00000000-0000-4000-8000-000000000000');

  test('each mistake names its field, and nothing changes', async () => {
    await api.indexedCollection('still', PHOTOS.slice(0, 2));
    await api.indexedCollection('other', PHOTOS.slice(2));
    const foreign = await imageIdOf(api, 'other', 'koala');
    const cases: readonly [object, string, string | null][] = [
      [{ collection: 'nowhere' }, 'NOT_FOUND', 'collection'],
      [{ visionSpace: 'nowhere' }, 'BAD_USER_INPUT', null],
      [{ scope: 'FAILED' }, 'CONFLICT', null],
      [{ scope: 'IMAGES' }, 'BAD_USER_INPUT', null],
      [{ scope: 'IMAGES', imageIds: ['x'] }, 'NOT_FOUND', 'imageIds'],
      [{ visionSpace: null, scope: 'IMAGES', imageIds: [foreign] }, 'NOT_FOUND', null],
      [{ canaries: [{ text: '' }] }, 'BAD_USER_INPUT', 'canaries'],
      [{ canaries: [{ text: 'a', within: 5, atLeast: 6 }] }, 'BAD_USER_INPUT', 'canaries'],
      [{ idempotencyKey: '' }, 'BAD_USER_INPUT', 'idempotencyKey'],
    ];

    for (const [more, code, field] of cases) {
      const answer = await reindex('still', more);
      expect([more, valuesAt(answer, 'startReindex.userErrors')]).toEqual([
        more,
        [{ code, field: field === null ? null : ['input', field] }],
      ]);
    }
    for (const [mutation, input, code] of [
      ['promoteGeneration', { id: NOWHERE }, 'NOT_FOUND'],
      ['promoteGeneration', { id: await generationId('still', 1) }, 'CONFLICT'],
      ['rollbackGeneration', { collection: 'still' }, 'CONFLICT'],
      ['rollbackGeneration', { collection: 'nowhere' }, 'NOT_FOUND'],
      ['discardGeneration', { id: await generationId('still', 1) }, 'CONFLICT'],
      ['discardGeneration', { id: foreign }, 'NOT_FOUND'],
    ] as const) {
      const answer = await change(mutation, input);
      expect([mutation, valuesAt(answer, `${mutation}.userErrors.code`)]).toEqual([
        mutation,
        [code],
      ]);
    }

    const jobs = await api.query('{ jobs(collection: "still") { totalCount } }');
    expect(valuesAt(jobs, 'jobs.totalCount')).toEqual([1]); // the ingest
  });

  test('a key of another collection sees no generation, and a READER chooses none', async () => {
    await api.indexedCollection('private', PHOTOS.slice(0, 1));
    const id = await generationId('private', 1);
    const [scoped, reader] = [await api.keyFor('ADMIN', ['still']), await api.keyFor('READER')];

    const promote = `mutation ($input: PromoteGenerationInput!) {
      promoteGeneration(input: $input) { userErrors { code } } }`;
    const foreign = await api.query(promote, { key: scoped, variables: { input: { id } } });
    const chosen = await api.query(SEARCH, {
      ...{
        key: reader,
        variables: { input: { collection: 'private', text: 'a', generation: id } },
      },
    });

    expect(valuesAt(foreign, 'promoteGeneration.userErrors.code')).toEqual(['NOT_FOUND']);
    expect(chosen.codes).toEqual(['FORBIDDEN']);
  });

  test('the same key gives the same job, and a second one while it is open is refused', async () => {
    await api.indexedCollection('twice', PHOTOS.slice(0, 1));
    const first = await reindex('twice', { idempotencyKey: 'once' });
    const again = await reindex('twice', { idempotencyKey: 'once' });
    const another = await reindex('twice');

    const id = textAt(first, 'startReindex.job.id');
    expect(textAt(again, 'startReindex.job.id')).toBe(id);
    expect(valuesAt(another, 'startReindex.userErrors.code')).toEqual(['CONFLICT']);
    await api.runJob(id);
  });
});

describe('other jobs', () => {
  const started = (mutation: string, input: string): Promise<Answer> =>
    api.query(
      `mutation { ${mutation}(input: ${input}) { job { id kind } userErrors { code field } } }`,
    );

  test('VERIFY looks at every generation and tells what is wrong', async () => {
    await api.indexedCollection('verified', PHOTOS);
    await built('verified');
    const run = async () =>
      api.runJob(
        textAt(await started('startVerify', '{ collection: "verified" }'), 'startVerify.job.id'),
      );

    expect(await run()).toMatchObject({ state: 'SUCCEEDED', result: { isSound: true } });
    await api.services.database.pool.query(
      `DELETE FROM index_entries WHERE ctid IN (SELECT n.ctid FROM index_entries n
         JOIN collections c ON c.id = n.collection_id WHERE c.name = 'verified' LIMIT 1)`,
    );
    expect(await run()).toMatchObject({ result: { isSound: false } });
    const bad = await started('startVerify', '{ collection: "verified", sample: -1 }');
    expect(valuesAt(bad, 'startVerify.userErrors')).toEqual([
      { code: 'BAD_USER_INPUT', field: ['input', 'sample'] },
    ]);
  });

  test('SNAPSHOT writes a file for every complete generation', async () => {
    await api.indexedCollection('saved', PHOTOS);
    await built('saved');

    const answer = await started('startSnapshot', '{ collection: "saved" }');
    const job = await api.runJob(textAt(answer, 'startSnapshot.job.id'));

    expect(job).toMatchObject({
      state: 'SUCCEEDED',
      result: {
        snapshots: [
          { name: 'generation 1', engine: 'exact', images: 4 },
          { name: 'generation 2', engine: 'exact', images: 4 },
        ],
      },
    });
  });
});
