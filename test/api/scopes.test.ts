import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { encodeNodeId } from '../../api/node-ids.ts';
import {
  imageIdOf,
  textAt,
  UNKNOWN_IMAGE,
  UNKNOWN_JOB,
  useApi,
  valuesAt,
  type Answer,
  type TestApi,
} from '../support/api.ts';
import { SAMPLE_PHOTOS } from '../support/bundles.ts';
import { subscribed } from '../support/subscriptions.ts';

let api: TestApi;
let scoped: string;
/** Ids of the collection that the key may not see, and ids of nothing, by type. */
let foreign: Ids;
let absent: Ids;

interface Ids {
  readonly collection: string;
  readonly image: string;
  readonly job: string;
  readonly nodes: readonly string[];
}

beforeAll(async () => {
  api = await useApi();
  await api.indexedCollection('own', ['chelsea', 'coffee']);
  await api.indexedCollection('foreign', ['koala', 'goldfish']);
  scoped = await api.keyFor('ADMIN', ['own']);
  foreign = await idsOf('foreign');
  const nothing = '00000000-0000-4000-8000-000000000000';
  absent = {
    ...{ collection: 'absent', image: UNKNOWN_IMAGE, job: UNKNOWN_JOB },
    nodes: [
      encodeNodeId('Collection', nothing),
      encodeNodeId('Source', nothing),
      encodeNodeId('Generation', nothing),
      ...[UNKNOWN_IMAGE, UNKNOWN_JOB, encodeNodeId('JobItem', 999_999_999n)],
    ],
  };
});

async function idsOf(collection: string): Promise<Ids> {
  const upload = await api.query(
    'mutation ($input: UploadImagesInput!) { uploadImages(input: $input) { job { id } } }',
    {
      variables: { input: { collection, files: [null] } },
      files: { 'variables.input.files.0': { name: 'bad.jpg', bytes: Buffer.from('bad') } },
    },
  );
  const job = textAt(upload, 'uploadImages.job.id');
  await api.runJob(job);
  const answer = await api.query(
    `query ($collection: String!, $job: ID!) {
      collection(name: $collection) { id sources { id } generation { id } }
      images(collection: $collection) { edges { node { id } } }
      job(id: $job) { id failures { edges { node { id } } } }
    }`,
    { variables: { collection, job } },
  );
  const image = textAt(answer, 'images.edges.node.id');
  const nodes = [
    ...['collection.id', 'collection.sources.id', 'collection.generation.id'],
    ...['images.edges.node.id', 'job.id', 'job.failures.edges.node.id'],
  ].map((path) => textAt(answer, path));
  return { collection, image, job, nodes };
}

/** What the scoped key gets for the foreign and for the absent. */
async function askBoth(
  document: string,
  variablesOf: (ids: Ids) => Record<string, unknown>,
): Promise<Answer> {
  const [first, second] = await Promise.all(
    [foreign, absent].map((ids) =>
      api.query(document, { key: scoped, variables: variablesOf(ids) }),
    ),
  );
  if (!first || !second) throw new Error('Two were asked.');
  expect({ data: first.data, codes: first.codes }).toEqual({
    ...{ data: second.data, codes: second.codes },
  });
  expect(first.status).toBe(second.status);
  return first;
}

describe('what is foreign to a key is as if it were not there, through', () => {
  test('lookups, which give null', async () => {
    const answer = await askBoth(
      `query ($collection: String!, $image: ID!, $job: ID!) {
        collection(name: $collection) { id }
        image(id: $image) { id }
        job(id: $job) { id }
        node(id: $image) { id }
      }`,
      ({ collection, image, job }) => ({ collection, image, job }),
    );

    expect(answer).toMatchObject({
      ...{ data: { collection: null, image: null, job: null, node: null }, codes: [] },
    });
  });

  test('nodes of every type', async () => {
    const answer = await askBoth(
      'query ($ids: [ID!]!) { nodes(ids: $ids) { id } }',
      ({ nodes }) => ({ ids: nodes }),
    );

    expect(answer.data).toEqual({ nodes: foreign.nodes.map(() => null) });
    const seen = await api.query('query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', {
      variables: { ids: foreign.nodes },
    });
    expect(valuesAt(seen, 'nodes.id')).toEqual(foreign.nodes);
  });

  test.each<[string, string]>([
    ['images', 'images(collection: $collection) { totalCount }'],
    ['jobs', 'jobs(collection: $collection) { totalCount }'],
    ['search', 'search(input: { collection: $collection, text: "a" }) { path }'],
    ['generations', 'generations(collection: $collection) { id }'],
    ['indexHealth', 'indexHealth(collection: $collection) { images }'],
  ])('%s, which are refused', async (_name, field) => {
    const { codes, data } = await askBoth(
      `query ($collection: String!) { ${field} }`,
      ({ collection }) => ({ collection }),
    );

    expect({ codes, data }).toEqual({ codes: ['NOT_FOUND'], data: null });
  });

  test.each<[string, string]>([
    ['similarImages', 'similarImages(imageId: $image) { path }'],
    ['classifyImage', 'classifyImage(input: { imageId: $image, labels: ["a"] }) { label }'],
    [
      'a term of a search',
      'search(input: { collection: "own", terms: [{ imageId: { imageId: $image } }] }) { path }',
    ],
  ])('%s by an image, which is refused', async (_name, field) => {
    const { codes, data } = await askBoth(`query ($image: ID!) { ${field} }`, ({ image }) => ({
      image,
    }));

    expect({ codes, data }).toEqual({ codes: ['NOT_FOUND'], data: null });
  });

  test.each<[string, string]>([
    ['deleteCollection', 'deleteCollection(input: { collection: $collection })'],
    ['addSource', 'addSource(input: { collection: $collection, folder: "/" })'],
    ['startIngest', 'startIngest(input: { collection: $collection })'],
    ['uploadImages', 'uploadImages(input: { collection: $collection, files: [] })'],
  ])('%s, which names the field', async (name, field) => {
    const answer = await askBoth(
      `mutation ($collection: String!) { ${field} { userErrors { code field } } }`,
      ({ collection }) => ({ collection }),
    );

    expect(answer.data).toEqual({
      [name]: { userErrors: [{ code: 'NOT_FOUND', field: ['input', 'collection'] }] },
    });
  });

  test('deleteImages, which deletes nothing', async () => {
    const answer = await askBoth(
      `mutation ($image: ID!) {
        deleteImages(input: { ids: [$image] }) { deletedImageIds userErrors { code } }
      }`,
      ({ image }) => ({ image }),
    );

    expect(answer.data).toEqual({
      deleteImages: { deletedImageIds: [], userErrors: [{ code: 'NOT_FOUND' }] },
    });
    const still = await api.query('{ images(collection: "foreign") { totalCount } }');
    expect(still.data).toEqual({ images: { totalCount: 2 } });
  });

  test('jobProgress, which is refused', async () => {
    for (const { job } of [foreign, absent]) {
      const { events, codes } = await subscribed(
        api,
        'subscription ($job: ID!) { jobProgress(id: $job) { id } }',
        { variables: { job }, key: scoped },
      );

      expect({ events, codes }).toEqual({ events: [], codes: ['NOT_FOUND'] });
    }
  });
});

describe('a key for one collection', () => {
  test('lists that one, and jobs of it alone', async () => {
    const answer = await api.query(
      `{ collections { totalCount edges { node { name } } }
         jobs { totalCount edges { node { collection { name } } } }
         viewer { collections { name } } }`,
      { key: scoped },
    );

    expect(answer.data).toEqual({
      collections: { totalCount: 1, edges: [{ node: { name: 'own' } }] },
      jobs: { totalCount: 1, edges: [{ node: { collection: { name: 'own' } } }] },
      viewer: { collections: [{ name: 'own' }] },
    });
  });

  test('finds its own images, also by one of them', async () => {
    const imageId = await imageIdOf(api, 'own', 'coffee');

    const answer = await api.query(
      `query ($imageId: ID!) {
        search(input: { collection: "own", terms: [{ imageId: { imageId: $imageId } }] }) {
          edges { node { path } }
        }
      }`,
      { key: scoped, variables: { imageId } },
    );

    expect(valuesAt(answer, 'search.edges.node.path')).toEqual([
      ...['src/coffee.jpg', 'src/chelsea.jpg'],
    ]);
  });

  test('that is deleted sees nothing, not everything', async () => {
    await api.indexedCollection('passing', ['coffee']);
    const key = await api.keyFor('ADMIN', ['passing']);
    await api.query(
      'mutation { deleteCollection(input: { collection: "passing" }) { userErrors { code } } }',
    );

    const answer = await api.query(
      '{ collections { totalCount } jobs { totalCount } viewer { collections { name } } }',
      { key },
    );

    expect(answer.data).toEqual({
      collections: { totalCount: 0 },
      jobs: { totalCount: 0 },
      viewer: { collections: [] },
    });
  });
});

describe("an ADMIN's fields are null for others:", () => {
  const DOCUMENT = `{
    collection(name: "own") { sources { name folder } }
    images(collection: "own", first: 1) { edges { node { embedding { createdAt values } } } }
  }`;

  test.each(['READER', 'CURATOR'] as const)('for a %s', async (role) => {
    const answer = await api.query(DOCUMENT, { key: await api.keyFor(role) });

    expect(answer.codes).toEqual([]);
    expect(valuesAt(answer, 'collection.sources.folder')).toEqual([null]);
    expect(valuesAt(answer, 'images.edges.node.embedding.values')).toEqual([null]);
  });

  test('for an ADMIN they are there', async () => {
    const answer = await api.query(DOCUMENT, { key: scoped });

    expect(textAt(answer, 'collection.sources.folder')).toMatch(/photos-1$/);
    expect(valuesAt(answer, 'images.edges.node.embedding.values').length).toBeGreaterThan(100);
  });

  test('createdBy of a job', async () => {
    const upload = await api.query(
      'mutation ($input: UploadImagesInput!) { uploadImages(input: $input) { job { id } } }',
      {
        variables: { input: { collection: 'own', files: [null] } },
        files: {
          'variables.input.files.0': {
            name: 'koala.jpg',
            bytes: await readFile(join(SAMPLE_PHOTOS, 'koala.jpg')),
          },
        },
      },
    );
    const id = textAt(upload, 'uploadImages.job.id');
    const createdBy = async (key: string): Promise<unknown> =>
      valuesAt(
        await api.query('query ($id: ID!) { job(id: $id) { createdBy } }', {
          ...{ key, variables: { id } },
        }),
        'job.createdBy',
      )[0];

    expect(await createdBy(await api.keyFor('CURATOR'))).toBe(null);
    expect(await createdBy(scoped)).toBe(api.adminKey.slice(0, 16));
  });
});
