import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { encodeCursor } from '../../api/cursors.ts';
import { encodeNodeId } from '../../api/node-ids.ts';
import { inTransaction } from '../../store/transaction.ts';
import { deleteImages } from '../../store/images.ts';
import { queryImageIds } from '../../store/image-query.ts';
import { asImageId } from '../../store/ids.ts';
import { getCollection } from '../../store/collections.ts';
import {
  imageIdOf,
  textAt,
  UNKNOWN_IMAGE,
  useApi,
  valuesAt,
  type Answer,
  type TestApi,
} from '../support/api.ts';
import { SAMPLE_PHOTOS } from '../support/bundles.ts';

const PHOTOS = [
  ...['angelfish', 'astronaut', 'baseball', 'brick', 'chair', 'chelsea', 'clownfish-in-an-anemone'],
  ...['coffee', 'colosseum', 'eiffel-tower', 'goldfish', 'koala'],
];
let api: TestApi;

beforeAll(async () => {
  api = await useApi();
  await api.indexedCollection('photos', PHOTOS);
});

const SEARCH = `query ($input: SearchInput!, $first: Int, $after: String) {
  search(input: $input, first: $first, after: $after) {
    edges { cursor rank score probability node { id path } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    path cutReason textModel { name } generation { number } tookMs { encode index hydrate total }
  }
}`;

interface Page {
  readonly first?: number | null;
  readonly after?: string | null;
  readonly files?: NonNullable<Parameters<TestApi['query']>[1]>['files'];
}

function search(input: object, { files, ...page }: Page = {}): Promise<Answer> {
  return api.query(SEARCH, {
    variables: { first: 100, input: { collection: 'photos', ...input }, ...page },
    ...(files ? { files } : {}),
  });
}

const pathsOf = (answer: Answer): readonly unknown[] =>
  valuesAt(answer, 'search.edges.node.path').filter((path) => path !== undefined);
const firstOf = (answer: Answer): unknown => pathsOf(answer)[0];
const photo = (name: string): Promise<Buffer> => readFile(join(SAMPLE_PHOTOS, `${name}.jpg`));

describe('a text', () => {
  test('finds what it describes, ranked from 1 with falling scores', async () => {
    const answer = await search({ text: 'a cup of coffee' });

    expect(firstOf(answer)).toBe('src/coffee.jpg');
    expect(valuesAt(answer, 'search.edges.rank')).toEqual(PHOTOS.map((_, i) => i + 1));
    const scores = valuesAt(answer, 'search.edges.score') as number[];
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    expect(answer.data).toMatchObject({
      search: {
        ...{ path: 'EXACT', cutReason: null, generation: { number: 1 } },
        textModel: { name: expect.any(String) },
        pageInfo: { hasNextPage: false, hasPreviousPage: false },
      },
    });
  });

  test('is cut nowhere so far: `cut` changes nothing', async () => {
    const [cut, uncut] = await Promise.all([
      search({ text: 'quarterly tax return', cut: true }),
      search({ text: 'quarterly tax return', cut: false }),
    ]);

    expect(pathsOf(cut)).toHaveLength(PHOTOS.length);
    expect(pathsOf(cut)).toEqual(pathsOf(uncut));
  });

  test('gives the same whether it stands as `text` or as a term of any weight', async () => {
    const [text, term] = await Promise.all([
      search({ text: 'the Eiffel Tower' }),
      search({ terms: [{ text: { text: 'the Eiffel Tower', weight: 3 } }] }),
    ]);

    expect(firstOf(text)).toBe('src/eiffel-tower.jpg');
    expect(pathsOf(text)).toEqual(pathsOf(term));
  });
});

describe('terms', () => {
  test('with a negative weight push away', async () => {
    const [plain, pushed] = await Promise.all([
      search({ text: 'a fish' }),
      search({
        terms: [
          { text: { text: 'a fish' } },
          { text: { text: 'an orange and white striped clownfish', weight: -1 } },
        ],
      }),
    ]);
    const clownfish = 'src/clownfish-in-an-anemone.jpg';

    expect(pathsOf(pushed).indexOf(clownfish)).toBeGreaterThan(pathsOf(plain).indexOf(clownfish));
  });

  test('of a stored image find that image first, with a cosine of 1', async () => {
    const imageId = await imageIdOf(api, 'photos', 'koala');

    const answer = await search({ terms: [{ imageId: { imageId } }] });

    expect(firstOf(answer)).toBe('src/koala.jpg');
    expect(valuesAt(answer, 'search.edges.score')[0]).toBeCloseTo(1, 2);
    expect(answer.data).toMatchObject({ search: { textModel: null } });
  });

  test('of an uploaded image find that image first', async () => {
    const answer = await search(
      { terms: [{ upload: { upload: null } }] },
      {
        files: {
          'variables.input.terms.0.upload.upload': { name: 'x.png', bytes: await photo('koala') },
        },
      },
    );

    expect(firstOf(answer)).toBe('src/koala.jpg');
  });

  test.each<[string, object, string]>([
    ['none', { terms: [] }, 'BAD_USER_INPUT'],
    ['beside a text', { text: 'a', terms: [{ text: { text: 'b' } }] }, 'BAD_USER_INPUT'],
    ['neither text nor terms', {}, 'BAD_USER_INPUT'],
    ['nine', { terms: Array(9).fill({ text: { text: 'b' } }) }, 'BAD_USER_INPUT'],
    ['of weight 0', { terms: [{ text: { text: 'b', weight: 0 } }] }, 'BAD_USER_INPUT'],
    ['of weight 11', { terms: [{ text: { text: 'b', weight: 11 } }] }, 'BAD_USER_INPUT'],
    ['all negative', { terms: [{ text: { text: 'b', weight: -1 } }] }, 'BAD_USER_INPUT'],
    [
      'that cancel out',
      { terms: [{ text: { text: 'b' } }, { text: { text: 'b', weight: -1 } }] },
      'BAD_USER_INPUT',
    ],
    ['of an unknown image', { terms: [{ imageId: { imageId: UNKNOWN_IMAGE } }] }, 'NOT_FOUND'],
    ['of what is no id', { terms: [{ imageId: { imageId: '7' } }] }, 'NOT_FOUND'],
    ['an empty text', { text: ' \n' }, 'EMPTY_TEXT'],
    ['2,001 characters', { text: 'x'.repeat(2001) }, 'BAD_USER_INPUT'],
    ['an unknown collection', { collection: 'nowhere', text: 'a' }, 'NOT_FOUND'],
    ['an unknown text model', { text: 'a', textModel: 'nothing@1' }, 'NOT_FOUND'],
  ])('are refused: %s', async (_name, input, code) => {
    const { codes, data } = await search(input);

    expect({ codes, data }).toEqual({ codes: [code], data: null });
  });

  test('with an unreadable upload are refused', async () => {
    const { codes } = await search(
      { terms: [{ upload: { upload: null } }] },
      {
        files: {
          'variables.input.terms.0.upload.upload': { name: 'x.jpg', bytes: Buffer.from('no jpeg') },
        },
      },
    );

    expect(codes).toEqual(['IMAGE_UNREADABLE']);
  });
});

describe('a filter', () => {
  const fish = ['src/angelfish.jpg', 'src/clownfish-in-an-anemone.jpg', 'src/goldfish.jpg'];
  const rest = PHOTOS.map((name) => `src/${name}.jpg`).filter((path) => !fish.includes(path));
  const byPath = { path: { contains: 'fish' } };

  test.each<[string, object, readonly string[]]>([
    ['of the path', byPath, fish],
    ['of the path, equal', { path: { equals: fish[0] } }, fish.slice(0, 1)],
    ['of the path, one of', { path: { in: [...fish, 'x'] } }, fish],
    [
      'of the path, beginning',
      { path: { startsWith: 'src/c' } },
      PHOTOS.filter((one) => one.startsWith('c')).map((one) => `src/${one}.jpg`),
    ],
    ['not', { not: byPath }, rest],
    ['and', { and: [byPath, { path: { contains: 'gold' } }] }, ['src/goldfish.jpg']],
    ['or', { or: [byPath, { not: byPath }] }, [...fish, ...rest]],
    ['of the width, none so wide', { width: { min: 1_000_000 } }, []],
    ['of the height', { and: [{ height: { min: 1 } }, byPath] }, fish],
    ['of the format', { format: ['JPEG'], ...byPath }, fish],
    ['of the format, none', { format: ['PNG'] }, []],
    ['of the source', { source: 'src', ...byPath }, fish],
    ['of another source', { source: 'other' }, []],
    ['of the time added', { addedAt: { before: '2001-01-01T00:00:00Z' } }, []],
    ['of the time added, since', { addedAt: { from: '2001-01-01T00:00:00Z' }, ...byPath }, fish],
    ['of missing metadata', { metadata: [{ path: ['nothing'], exists: false }], ...byPath }, fish],
    ['of metadata', { metadata: [{ path: ['camera', 'make'], equals: 'x' }] }, []],
    ['of everything', {}, [...fish, ...rest]],
  ])('%s holds for those and no others', async (_name, filter, expected) => {
    const answer = await search({ text: 'a fish', filter });

    expect([...pathsOf(answer)].sort()).toEqual([...expected].sort());
  });

  test.each<[string, object]>([
    ['of 21 parts', { or: Array(21).fill({}) }],
    ['of 7 levels', { not: { not: { not: { not: { not: { not: { not: {} } } } } } } }],
    ['with a NUL', { path: { equals: 'a\0' } }],
    ['of metadata without a key', { metadata: [{ path: [], exists: true }] }],
  ])('%s is refused', async (_name, filter) => {
    const { codes } = await search({ text: 'a fish', filter });

    expect(codes).toEqual(['BAD_USER_INPUT']);
  });
});

describe('pages', () => {
  const input = { text: 'something colourful' };

  async function readAll(
    collection: string,
    between: (page: number) => Promise<void> = () => Promise.resolve(),
  ): Promise<readonly unknown[]> {
    const ids: unknown[] = [];
    let after: string | null = null;
    for (let page = 1; ; page++) {
      const answer = await search({ ...input, collection }, { first: 3, after });
      expect(answer.codes).toEqual([]);
      ids.push(...valuesAt(answer, 'search.edges.node.id').filter((id) => id !== undefined));
      if (valuesAt(answer, 'search.pageInfo.hasNextPage')[0] !== true) return ids;
      after = textAt(answer, 'search.pageInfo.endCursor');
      await between(page);
    }
  }

  test('of three joined equal one of a hundred', async () => {
    const whole = await search(input);

    expect(await readAll('photos')).toEqual(valuesAt(whole, 'search.edges.node.id'));
  });

  test('neither repeat nor leave out what stays while images come and go', async () => {
    await api.indexedCollection('changing', PHOTOS);
    const before = valuesAt(
      await search({ ...input, collection: 'changing' }),
      'search.edges.node.id',
    );
    const [gone, last] = [before[1], before.at(-1)];

    const read = await readAll('changing', async (page) => {
      if (page === 1) await removeImages([gone, last]);
      if (page === 2) await addPhoto('changing', 'igloo');
    });

    const staying = before.filter((id) => id !== last);
    expect(read.filter((id) => staying.includes(id))).toEqual(staying);
    expect(new Set(read).size).toBe(read.length);
    expect(read).not.toContain(last);
  });

  test('whose images were all deleted are filled with the next ones', async () => {
    await api.indexedCollection('emptied', PHOTOS);
    const all = valuesAt(await search({ ...input, collection: 'emptied' }), 'search.edges.node.id');
    const page = { first: 2 };
    const first = await search({ ...input, collection: 'emptied' }, page);
    const gone = all.slice(2, 4);
    await api.query(
      'mutation ($ids: [ID!]!) { deleteImages(input: { ids: $ids }) { deletedImageIds } }',
      {
        variables: { ids: gone },
      },
    );

    const after = textAt(first, 'search.pageInfo.endCursor');
    const second = await search({ ...input, collection: 'emptied' }, { ...page, after });
    const next = textAt(second, 'search.pageInfo.endCursor');
    const third = await search({ ...input, collection: 'emptied' }, { ...page, after: next });

    expect(valuesAt(second, 'search.edges.node.id')).toEqual(all.slice(4, 6));
    expect(valuesAt(third, 'search.edges.node.id')).toEqual(all.slice(6, 8));
  });

  async function removeImages(ids: readonly unknown[]): Promise<void> {
    const answer = await api.query(
      'mutation ($ids: [ID!]!) { deleteImages(input: { ids: $ids }) { deletedImageIds } }',
      { variables: { ids } },
    );
    expect(valuesAt(answer, 'deleteImages.deletedImageIds')).toEqual(ids);
    await api.caughtUp('changing');
  }

  async function addPhoto(collection: string, name: string): Promise<void> {
    const answer = await api.query(
      `mutation ($input: UploadImagesInput!) { uploadImages(input: $input) { job { id } } }`,
      {
        variables: { input: { collection, files: [null] } },
        files: { 'variables.input.files.0': { name: `${name}.jpg`, bytes: await photo(name) } },
      },
    );
    await api.runJob(textAt(answer, 'uploadImages.job.id'));
  }

  test.each([0, 101, -1])('of %d are refused', async (first) => {
    expect((await search(input, { first })).codes).toEqual(['BAD_USER_INPUT']);
  });

  test('go on only with a cursor of the same search', async () => {
    const cursor = textAt(await search(input, { first: 3 }), 'search.pageInfo.endCursor');

    const others: object[] = [
      { text: 'another text' },
      { ...input, filter: { format: ['JPEG'] } },
      { ...input, exact: true },
    ];
    for (const other of others) {
      expect((await search(other, { after: cursor })).codes).toEqual(['BAD_USER_INPUT']);
    }
  });

  test.each([
    ['', 'x', '!!!', 'a'.repeat(2000)],
    [encodeCursor('images', '1'), encodeCursor('search', {}), encodeCursor('search', null)],
  ])('are refused for cursors that are none: %j', async (...cursors) => {
    for (const after of cursors) {
      expect((await search(input, { after })).codes).toEqual(['BAD_USER_INPUT']);
    }
  });

  test('of a generation that is gone are refused as expired', async () => {
    const cursor = textAt(await search(input, { first: 3 }), 'search.pageInfo.endCursor');
    const [kind, position] = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')) as [
      string,
      Record<string, unknown>,
    ];

    const old = encodeCursor(kind, { ...position, g: '00000000-0000-4000-8000-000000000000' });

    expect((await search(input, { after: old })).codes).toEqual(['CURSOR_EXPIRED']);
  });
});

describe('the order', () => {
  test('is that of every cosine compared by hand, exact or not', async () => {
    const embeddings = await api.query(
      '{ images(collection: "photos", first: 100) { edges { node { id embedding { values } } } } }',
    );
    const nodes = valuesAt(embeddings, 'images.edges.node') as {
      id: string;
      embedding: { values: number[] };
    }[];
    const query = await api.services.texts.encode('a small animal');
    const byHand = nodes
      .map(({ id, embedding }) => ({
        id,
        score: embedding.values.reduce((sum, value, i) => sum + value * (query[i] ?? 0), 0),
      }))
      .sort((a, b) => b.score - a.score);

    for (const exact of [true, false]) {
      const answer = await search({ text: 'a small animal', exact });

      expect(valuesAt(answer, 'search.edges.node.id')).toEqual(byHand.map(({ id }) => id));
      const scores = valuesAt(answer, 'search.edges.score') as number[];
      byHand.forEach(({ score }, i) => {
        expect(scores[i]).toBeCloseTo(score, 3);
      });
    }
  });
});

describe('similarImages', () => {
  const SIMILAR = `query ($imageId: ID!, $first: Int, $filter: ImageFilter) {
    similarImages(imageId: $imageId, first: $first, filter: $filter) { edges { rank node { id path } } }
  }`;
  const similar = (variables: object): Promise<Answer> =>
    api.query(SIMILAR, { variables: { first: 100, ...variables } });

  test('leaves the image itself out and has the nearest first', async () => {
    const imageId = await imageIdOf(api, 'photos', 'goldfish');

    const answer = await similar({ imageId });

    expect(valuesAt(answer, 'similarImages.edges.node.id')).not.toContain(imageId);
    expect(valuesAt(answer, 'similarImages.edges.rank')).toEqual(
      PHOTOS.slice(1).map((_, i) => i + 1),
    );
    expect(String(valuesAt(answer, 'similarImages.edges.node.path')[0])).toMatch(/fish/);
  });

  test('gives a whole page, and keeps to the filter', async () => {
    const imageId = await imageIdOf(api, 'photos', 'goldfish');

    const page = await similar({ imageId, first: 3 });
    const filtered = await similar({ imageId, filter: { path: { contains: 'fish' } } });

    expect(valuesAt(page, 'similarImages.edges.node.id')).toHaveLength(3);
    expect([...valuesAt(filtered, 'similarImages.edges.node.path')].sort()).toEqual([
      'src/angelfish.jpg',
      'src/clownfish-in-an-anemone.jpg',
    ]);
  });

  test('of an unknown image is refused', async () => {
    expect((await similar({ imageId: UNKNOWN_IMAGE })).codes).toEqual(['NOT_FOUND']);
  });
});

test('a deleted image is found no more within a second', async () => {
  await api.indexedCollection('shrinking', PHOTOS.slice(0, 4));
  const id = await imageIdOf(api, 'shrinking', 'astronaut');
  const found = async (): Promise<boolean> =>
    valuesAt(
      await search({ collection: 'shrinking', text: 'an astronaut' }),
      'search.edges.node.id',
    ).includes(id);
  expect(await found()).toBe(true);

  await api.query(
    'mutation ($ids: [ID!]!) { deleteImages(input: { ids: $ids }) { deletedImageIds } }',
    { variables: { ids: [id] } },
  );

  // Rows that are gone are left out at once, whatever the index still holds.
  expect(await found()).toBe(false);
});

test('images that leave the store behind the index leave no gap in the pages', async () => {
  await api.indexedCollection('behind', PHOTOS.slice(0, 6));
  const { prisma, pool } = api.services.database;
  const { id: collectionId } = await getCollection(prisma, 'behind');
  const ids = await queryImageIds(pool, { collectionId, filter: {} });
  const gone = asImageId(String(ids[0]));
  await inTransaction(pool, (client) => deleteImages(client, collectionId, [gone]));

  const answer = await search({ collection: 'behind', text: 'a fish' }, { first: 5 });

  expect(pathsOf(answer)).toHaveLength(5);
  expect(valuesAt(answer, 'search.edges.node.id')).not.toContain(encodeNodeId('Image', gone));
});

describe('classifyImage', () => {
  const CLASSIFY = `query ($input: ClassifyImageInput!) {
    classifyImage(input: $input) { label score share }
  }`;
  const labels = ['a koala', 'a football stadium', 'a car'];
  const classify = (
    input: object,
    files: NonNullable<Page['files']> | null = null,
  ): Promise<Answer> =>
    api.query(CLASSIFY, {
      variables: { input: { labels, ...input } },
      ...(files ? { files } : {}),
    });
  const upload = (bytes: Uint8Array): NonNullable<Page['files']> => ({
    'variables.input.upload': { name: 'picture', bytes },
  });

  test('says the same of a stored and of an uploaded image', async () => {
    const stored = await classify({ imageId: await imageIdOf(api, 'photos', 'koala') });
    const uploaded = await classify({ upload: null }, upload(await photo('koala')));

    for (const answer of [stored, uploaded]) {
      expect(valuesAt(answer, 'classifyImage.label')[0]).toBe('a koala');
      const shares = valuesAt(answer, 'classifyImage.share') as number[];
      expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 5);
    }
  });

  test('refuses bytes that are no image', async () => {
    const { codes } = await classify({ upload: null }, upload(Buffer.from('GIF89a')));

    expect(codes).toEqual(['IMAGE_UNREADABLE']);
  });

  test.each<[string, object, string]>([
    ['without labels', { imageId: UNKNOWN_IMAGE, labels: [] }, 'NOT_FOUND'],
    ['neither image nor upload', {}, 'BAD_USER_INPUT'],
    ['an unknown image', { imageId: UNKNOWN_IMAGE }, 'NOT_FOUND'],
  ])('refuses %s', async (_name, input, code) => {
    expect((await classify(input)).codes).toEqual([code]);
  });

  test.each([[[]], [['']], [['x'.repeat(201)]], [Array<string>(201).fill('x')]])(
    'refuses wrong labels (%#)',
    async (wrong) => {
      const imageId = await imageIdOf(api, 'photos', 'koala');

      expect((await classify({ imageId, labels: wrong })).codes).toEqual([
        expect.stringMatching(/^(BAD_USER_INPUT|EMPTY_TEXT)$/),
      ]);
    },
  );
});
