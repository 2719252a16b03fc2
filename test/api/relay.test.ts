import { beforeAll, describe, expect, test } from '@jest/globals';
import { isAbstractType } from 'graphql';
import { encodeCursor } from '../../api/cursors.ts';
import { encodeNodeId, NODE_TYPES } from '../../api/node-ids.ts';
import { textAt, useApi, valuesAt, type Answer, type TestApi } from '../support/api.ts';
import { publicSchema } from '../support/schema.ts';

let api: TestApi;
let job: string;

beforeAll(async () => {
  api = await useApi();
  await api.indexedCollection('photos', ['chelsea', 'coffee', 'koala', 'goldfish', 'brick']);
  await api.indexedCollection('others', ['astronaut', 'chair']);
  for (const name of ['third', 'fourth', 'fifth']) {
    await api.query(
      'mutation ($name: String!) { createCollection(input: { name: $name }) { userErrors { code } } }',
      {
        variables: { name },
      },
    );
  }
  for (const vocabulary of ['animals', 'everyday', 'imagenet-1k']) {
    await api.query(
      'mutation ($input: TagRunInput!) { startTagRun(input: $input) { userErrors { code } } }',
      { variables: { input: { collection: 'photos', vocabulary } } },
    );
  }
  job = await uploadBadFiles('photos', ['one', 'two', 'three', 'four']);
});

async function uploadBadFiles(collection: string, contents: readonly string[]): Promise<string> {
  const answer = await api.query(
    'mutation ($input: UploadImagesInput!) { uploadImages(input: $input) { job { id } } }',
    {
      variables: { input: { collection, files: contents.map(() => null) } },
      files: Object.fromEntries(
        contents.map((content, i) => [
          `variables.input.files.${i}`,
          { name: `${content}.jpg`, bytes: Buffer.from(content) },
        ]),
      ),
    },
  );
  const id = textAt(answer, 'uploadImages.job.id');
  await api.runJob(id);
  return id;
}

describe('node', () => {
  /** A document that gives an id of the type, and where in it. */
  const IDS: Readonly<Record<string, readonly [document: string, path: string]>> = {
    ApiKey: ['{ apiKeys { id } }', 'apiKeys.id'],
    Collection: ['{ collection(name: "photos") { id } }', 'collection.id'],
    Generation: ['{ generations(collection: "photos") { id } }', 'generations.id'],
    Image: ['{ images(collection: "photos") { edges { node { id } } } }', 'images.edges.node.id'],
    Job: ['{ jobs { edges { node { id } } } }', 'jobs.edges.node.id'],
    JobItem: [
      '{ jobs(first: 1) { edges { node { failures { edges { node { id } } } } } } }',
      'jobs.edges.node.failures.edges.node.id',
    ],
    Source: ['{ collection(name: "photos") { sources { id } } }', 'collection.sources.id'],
    TagRun: [
      '{ tagRuns(collection: "photos") { edges { node { id } } } }',
      'tagRuns.edges.node.id',
    ],
    TextModel: ['{ textModels { id } }', 'textModels.id'],
    Label: [
      '{ vocabulary(name: "everyday") { labels { edges { node { id } } } } }',
      'vocabulary.labels.edges.node.id',
    ],
    Vocabulary: ['{ vocabularies { edges { node { id } } } }', 'vocabularies.edges.node.id'],
    VisionSpace: ['{ visionSpaces { id } }', 'visionSpaces.id'],
  };

  test('has a test for every type that implements Node', () => {
    const schema = publicSchema();
    const type = schema.getType('Node');
    const types = isAbstractType(type) ? schema.getPossibleTypes(type).map(({ name }) => name) : [];

    expect(Object.keys(IDS).sort()).toEqual([...types].sort());
    expect([...NODE_TYPES].sort()).toEqual([...types].sort());
  });

  test.each(Object.entries(IDS))('finds a %s again by its id', async (type, [document, path]) => {
    const id = textAt(await api.query(document), path);

    const answer = await api.query('query ($id: ID!) { node(id: $id) { __typename id } }', {
      variables: { id },
    });

    expect(answer.data).toEqual({ node: { __typename: type, id } });
  });

  test.each([
    ['nothing', ''],
    ['what is no id', 'x'],
    ['a type there is not', Buffer.from('Planet:1').toString('base64url')],
    ['a number where a UUID belongs', Buffer.from('Job:1').toString('base64url')],
    ['a number beyond 64 bits', Buffer.from(`Image:${'9'.repeat(19)}`).toString('base64url')],
    ['a prototype', Buffer.from('constructor:1').toString('base64url')],
  ])('is null for %s', async (_name, id) => {
    const answer = await api.query(
      'query ($id: ID!) { node(id: $id) { id } image(id: $id) { id } }',
      {
        variables: { id },
      },
    );

    expect(answer).toMatchObject({ data: { node: null, image: null }, codes: [] });
  });

  test('of a collection is no image, job or key', async () => {
    const id = textAt(await api.query('{ collection(name: "photos") { id } }'), 'collection.id');

    const answer = await api.query(
      'query ($id: ID!) { image(id: $id) { id } job(id: $id) { id } }',
      { variables: { id } },
    );

    expect(answer.data).toEqual({ image: null, job: null });
  });

  test('an ApiKey is only for an ADMIN of all collections, a Job only for a CURATOR', async () => {
    const key = textAt(await api.query('{ apiKeys { id } }'), 'apiKeys.id');
    const ask = async (role: 'READER' | 'CURATOR' | 'ADMIN', scope?: string[]): Promise<unknown> =>
      (
        await api.query('query ($ids: [ID!]!) { nodes(ids: $ids) { __typename } }', {
          ...{ variables: { ids: [key, job] }, key: await api.keyFor(role, scope) },
        })
      ).data;

    expect(await ask('READER')).toEqual({ nodes: [null, null] });
    expect(await ask('CURATOR')).toEqual({ nodes: [null, { __typename: 'Job' }] });
    expect(await ask('ADMIN', ['photos'])).toEqual({ nodes: [null, { __typename: 'Job' }] });
  });
});

describe('nodes', () => {
  const NODES = 'query ($ids: [ID!]!) { nodes(ids: $ids) { id } }';

  test('keeps the order, repetitions and nulls', async () => {
    const images = await api.query('{ images(collection: "photos") { edges { node { id } } } }');
    const [a, b] = valuesAt(images, 'images.edges.node.id') as string[];
    const ids = [b, 'x', a, encodeNodeId('Image', 999_999_999n), b];

    const answer = await api.query(NODES, { variables: { ids } });

    expect(answer.data).toEqual({ nodes: [{ id: b }, null, { id: a }, null, { id: b }] });
  });

  test('takes a hundred and no more', async () => {
    const ask = (count: number): Promise<Answer> =>
      api.query(NODES, { variables: { ids: Array<string>(count).fill('x') } });

    expect((await ask(100)).codes).toEqual([]);
    expect((await ask(101)).codes).toEqual(['BAD_USER_INPUT']);
    expect((await ask(0)).data).toEqual({ nodes: [] });
  });
});

describe('a connection', () => {
  interface List {
    readonly name: string;
    readonly total: number;
    readonly document: string;
    readonly path: string;
  }

  const PARTS =
    'totalCount edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }';
  const list = (name: string, total: number, args = ''): List => ({
    ...{ name, total, path: name },
    document: `query ($first: Int, $after: String) { ${name}(first: $first, after: $after ${args}) { ${PARTS} } }`,
  });
  const LISTS: readonly List[] = [
    list('collections', 5),
    list('images', 5, 'collection: "photos"'),
    list('jobs', 6),
    list('tagRuns', 3, 'collection: "photos"'),
    list('vocabularies', 3),
    {
      ...{ name: 'failures', total: 4, path: 'jobs.edges.node.failures' },
      document: `query ($first: Int, $after: String) {
        jobs(first: 1) { edges { node { failures(first: $first, after: $after) { ${PARTS} } } } }
      }`,
    },
  ];

  test.each(LISTS)(
    '$name: pages of two joined equal the whole',
    async ({ document, path, total }) => {
      const whole = await api.query(document, { variables: { first: 100 } });
      const ids: unknown[] = [];
      let after: string | null = null;
      for (let hasNext = true; hasNext;) {
        const page: Answer = await api.query(document, { variables: { first: 2, after } });
        const cursors = valuesAt(page, `${path}.edges.cursor`);
        expect(valuesAt(page, `${path}.totalCount`)).toEqual([total]);
        expect(valuesAt(page, `${path}.pageInfo.startCursor`)).toEqual([cursors[0]]);
        expect(valuesAt(page, `${path}.pageInfo.endCursor`)).toEqual([cursors.at(-1)]);
        expect(valuesAt(page, `${path}.pageInfo.hasPreviousPage`)).toEqual([false]);
        ids.push(...valuesAt(page, `${path}.edges.node.id`));
        hasNext = valuesAt(page, `${path}.pageInfo.hasNextPage`)[0] === true;
        after = textAt(page, `${path}.pageInfo.endCursor`);
      }

      expect(ids).toHaveLength(total);
      expect(ids).toEqual(valuesAt(whole, `${path}.edges.node.id`));
      expect(new Set(ids).size).toBe(total);
    },
  );

  test.each(LISTS)(
    '$name: a page of no size, too many or a broken cursor is refused',
    async ({ document }) => {
      const wrong = [
        ...[{ first: 0 }, { first: -1 }, { first: 101 }, { after: '' }, { after: 'x' }],
        { after: encodeCursor('search', 1) },
      ];
      for (const variables of wrong) {
        expect((await api.query(document, { variables })).codes).toEqual(['BAD_USER_INPUT']);
      }
    },
  );

  test('refuses the cursor of every other list', async () => {
    const cursors = new Map<string, string>();
    for (const { name, document, path } of LISTS) {
      const page = await api.query(document, { variables: { first: 1 } });
      cursors.set(name, textAt(page, `${path}.pageInfo.endCursor`));
    }
    const others = await api.query(LISTS[1]?.document.replace('photos', 'others') ?? '', {
      variables: { first: 1 },
    });
    cursors.set('images of another collection', textAt(others, 'images.pageInfo.endCursor'));

    for (const { name, document } of LISTS) {
      for (const [other, after] of cursors) {
        const { codes } = await api.query(document, { variables: { after } });
        expect({ name, other, codes }).toEqual({
          ...{ name, other, codes: other === name ? [] : ['BAD_USER_INPUT'] },
        });
      }
    }
  });

  test('that is empty has no cursors', async () => {
    const answer = await api.query(
      '{ images(collection: "third") { totalCount edges { cursor } pageInfo { hasNextPage startCursor endCursor } } }',
    );

    expect(answer.data).toEqual({
      images: {
        ...{ totalCount: 0, edges: [] },
        pageInfo: { hasNextPage: false, startCursor: null, endCursor: null },
      },
    });
  });

  test('of images counts what its filter leaves', async () => {
    const answer = await api.query(
      '{ images(collection: "photos", first: 1, filter: { path: { contains: "c" } }) { totalCount } }',
    );

    expect(answer.data).toEqual({ images: { totalCount: 5 } }); // "src/"
  });
});
