import { beforeAll, describe, expect, test } from '@jest/globals';
import { listAudit } from '../../store/audit.ts';
import {
  imageIdOf,
  UNKNOWN_IMAGE,
  useApi,
  valuesAt,
  type Answer,
  type TestApi,
} from '../support/api.ts';
import { freshName } from '../support/rows.ts';

const PHOTOS = ['koala', 'scarlet-macaw', 'windmill'];
let api: TestApi;
let collection: string;
let vocabulary: string;
let koala: string;
let macaw: string;
let windmill: string;

beforeAll(async () => {
  api = await useApi();
  collection = freshName('photos');
  await api.indexedCollection(collection, PHOTOS);
  const [a = '', b = '', c = ''] = await Promise.all(
    PHOTOS.map((photo) => imageIdOf(api, collection, photo)),
  );
  [koala, macaw, windmill] = [a, b, c];
  vocabulary = freshName('animals');
  const labels = [
    { name: 'animal' },
    { name: 'bird', parents: ['animal'] },
    { name: 'parrot', parents: ['bird'] },
    { name: 'koala', parents: ['animal'] },
  ];
  const answer = await api.query(
    'mutation ($input: PutVocabularyInput!) { putVocabulary(input: $input) { userErrors { message } } }',
    { variables: { input: { name: vocabulary, labels } } },
  );
  expect(valuesAt(answer, 'putVocabulary.userErrors')).toEqual([]);
});

type Input = Readonly<Record<string, unknown>>;

function setTags(input: Input, key?: string): Promise<Answer> {
  return api.query(
    `mutation ($input: SetTagsInput!) {
      setTags(input: $input) {
        images { tags { label source setBy } }
        undo { imageId vocabulary label verdict }
        userErrors { code field message }
      }
    }`,
    { variables: { input }, ...(key === undefined ? {} : { key }) },
  );
}

async function labelsOf(id: string): Promise<readonly unknown[]> {
  const answer = await api.query('query ($id: ID!) { image(id: $id) { tags { label } } }', {
    variables: { id },
  });
  return valuesAt(answer, 'image.tags.label');
}

describe('setTags', () => {
  test('adds what stands above, removes what stands below, and says what undoes it', async () => {
    const added = await setTags({ imageIds: [macaw], vocabulary, add: ['parrot'] });

    expect(valuesAt(added, 'setTags.userErrors')).toEqual([]);
    expect(await labelsOf(macaw)).toEqual(['animal', 'bird', 'parrot']);
    expect(valuesAt(added, 'setTags.undo.verdict')).toEqual(['CLEAR', 'CLEAR', 'CLEAR']);

    await setTags({ imageIds: [macaw], vocabulary, remove: ['bird'] });
    expect(await labelsOf(macaw)).toEqual(['animal']);
  });

  test('takes any label as a keyword, for many images at once', async () => {
    const answer = await setTags({
      imageIds: [koala, windmill],
      add: ['  holiday \n 2026 ', '東京'],
    });

    expect(valuesAt(answer, 'setTags.images.tags.source')).toEqual(Array(4).fill('MANUAL'));
    expect(await labelsOf(windmill)).toEqual(['holiday 2026', '東京']);
    const { pool } = api.services.database;
    const [entry] = await listAudit(pool, { before: null, limit: 1 });
    expect(entry).toMatchObject({ action: 'setTags', detail: { vocabulary: 'keywords' } });
  });

  test.each([
    ['imageIds', 'NOT_FOUND', () => ({ imageIds: [windmill, UNKNOWN_IMAGE], add: ['never'] })],
    ['imageIds', 'BAD_USER_INPUT', () => ({ imageIds: [], add: ['never'] })],
    [null, 'NOT_FOUND', () => ({ imageIds: [windmill], vocabulary, add: ['koala', 'parot'] })],
    [null, 'NOT_FOUND', () => ({ imageIds: [windmill], vocabulary: 'nothing', add: ['never'] })],
    [null, 'BAD_USER_INPUT', () => ({ imageIds: [windmill], add: ['a'], remove: ['a'] })],
    [null, 'BAD_USER_INPUT', () => ({ imageIds: [windmill], add: [' '] })],
    [null, 'BAD_USER_INPUT', () => ({ imageIds: [windmill], add: ['x'.repeat(201)] })],
  ])('changes nothing at all where something is wrong (%s: %s, %#)', async (field, code, input) => {
    const before = await labelsOf(windmill);

    const answer = await setTags(input());

    const path = field === null ? null : ['input', field];
    expect(answer.data).toMatchObject({
      setTags: { images: [], undo: [], userErrors: [{ code, field: path }] },
    });
    expect(await labelsOf(windmill)).toEqual(before);
  });

  test('hints at the nearest name', async () => {
    const answer = await setTags({ imageIds: [windmill], vocabulary, add: ['parot'] });

    expect(JSON.stringify(valuesAt(answer, 'setTags.userErrors.message'))).toContain(
      '\\"parrot\\"',
    );
  });

  test('is for curators of the collection; who set a tag, too', async () => {
    const [reader, other] = [await api.keyFor('READER'), freshName('other')];
    await api.indexedCollection(other, ['koala']);
    const stranger = await api.keyFor('CURATOR', [other]);

    const refused = await setTags({ imageIds: [koala], add: ['x'] }, reader);
    const unseen = await setTags({ imageIds: [koala], add: ['x'] }, stranger);
    const seen = await api.query('query ($id: ID!) { image(id: $id) { tags { setBy } } }', {
      variables: { id: windmill },
      key: reader,
    });

    expect(refused.codes).toEqual(['FORBIDDEN']);
    expect(valuesAt(unseen, 'setTags.userErrors.code')).toEqual(['NOT_FOUND']);
    expect(valuesAt(seen, 'image.tags.setBy')).toEqual([null, null]);
  });

  test('of a keyword is known where its images are seen, and nowhere else', async () => {
    const other = freshName('elsewhere');
    await api.indexedCollection(other, ['koala']);
    const keys = [await api.keyFor('READER', [collection]), await api.keyFor('READER', [other])];
    await setTags({ imageIds: [koala], add: ['project x'] });
    const ask = (document: string, key: string): Promise<Answer> =>
      api.query(`{ vocabulary(name: "keywords") { ${document} } }`, { key });
    const list = 'labels(search: "project") { totalCount edges { node { id name } } }';

    const [own, foreign] = await Promise.all(keys.map((key) => ask(list, key)));
    const exported = await ask('export(format: CSV)', keys[1] ?? '');

    expect(own && valuesAt(own, 'vocabulary.labels.edges.node.name')).toEqual(['project x']);
    expect(foreign && valuesAt(foreign, 'vocabulary.labels.totalCount')).toEqual([0]);
    expect(exported.codes).toEqual(['FORBIDDEN']);
  });
});

describe('a filter on tags', () => {
  test('holds in images and searches alike', async () => {
    await setTags({ imageIds: [koala, macaw], vocabulary, add: ['animal'] });
    const ask = (tags: object): Promise<Answer> =>
      api.query(
        `query ($collection: String!, $filter: ImageFilter!, $id: ID!) {
          images(collection: $collection, filter: $filter) { edges { node { id } } totalCount }
          search(input: { collection: $collection, text: "a photo", filter: $filter }) { edges { node { id } } }
          similarImages(imageId: $id, filter: $filter) { edges { node { id } } }
        }`,
        { variables: { collection, filter: { tags }, id: windmill } },
      );

    for (const [tags, expected] of [
      [{ anyOf: ['animal'] }, [koala, macaw]],
      [{ anyOf: ['animal'], vocabulary: 'keywords' }, []],
      [{ noneOf: ['animal'] }, [windmill]],
    ] as const) {
      const answer = await ask(tags);
      expect(valuesAt(answer, 'images.edges.node.id')).toEqual(expected);
      expect([...valuesAt(answer, 'search.edges.node.id')].sort()).toEqual([...expected].sort());
      const similar = expected.filter((id) => id !== windmill);
      expect([...valuesAt(answer, 'similarImages.edges.node.id')].sort()).toEqual(similar.sort());
    }
  });

  test.each([
    { anyOf: Array(101).fill('a') },
    { state: 'REJECTED' },
    { allOf: ['x'.repeat(1001)] },
    { anyOf: ['a\0b'] },
  ])('says what is wrong (%#)', async (tags) => {
    const answer = await api.query(
      `query ($collection: String!, $tags: TagFilter!) { images(collection: $collection, filter: { tags: $tags }) { totalCount } }`,
      { variables: { collection, tags } },
    );

    expect(answer.codes).toEqual(['BAD_USER_INPUT']);
  });
});

describe('classifyImages', () => {
  const LABELS = ['a koala', 'a parrot', 'a windmill', 'a tax return'];

  function classify(input: Input): Promise<Answer> {
    return api.query(
      `query ($input: ClassifyImagesInput!) {
        classifyImages(input: $input) { image { id } labels { label score share } }
      }`,
      { variables: { input } },
    );
  }

  test('says of each image what classifyImage says of it, in the order asked for', async () => {
    const imageIds = [windmill, koala, macaw, koala];

    const answer = await classify({ imageIds, labels: LABELS, top: 2 });

    const { classifyImages } = answer.data as {
      classifyImages: { image: { id: string }; labels: unknown[] }[];
    };
    expect(classifyImages.map(({ image }) => image.id)).toEqual(imageIds);
    for (const { image, labels } of classifyImages) {
      const one = await api.query(
        'query ($input: ClassifyImageInput!) { classifyImage(input: $input) { label score share } }',
        { variables: { input: { imageId: image.id, labels: LABELS } } },
      );
      expect(labels).toEqual(valuesAt(one, 'classifyImage').slice(0, 2));
    }
  });

  test("goes by a vocabulary's labels as by the same names", async () => {
    const names = ['animal', 'bird', 'parrot', 'koala'];
    const scores = async (which: object): Promise<readonly unknown[]> => {
      const answer = await classify({ imageIds: [koala, macaw], top: 100, ...which });
      expect(answer.codes).toEqual([]);
      return valuesAt(answer, 'classifyImages.labels.label');
    };

    expect(await scores({ vocabulary })).toEqual(await scores({ labels: names }));
  });

  test.each([
    ['BAD_USER_INPUT', () => ({ imageIds: [], labels: LABELS })],
    ['BAD_USER_INPUT', () => ({ imageIds: Array(501).fill(koala), labels: LABELS })],
    ['BAD_USER_INPUT', () => ({ imageIds: [koala] })],
    ['BAD_USER_INPUT', () => ({ imageIds: [koala], labels: LABELS, vocabulary })],
    ['BAD_USER_INPUT', () => ({ imageIds: [koala], labels: LABELS, top: 0 })],
    ['BAD_USER_INPUT', () => ({ imageIds: [koala], labels: [''] })],
    ['BAD_USER_INPUT', () => ({ imageIds: [koala], vocabulary: 'keywords' })],
    ['NOT_FOUND', () => ({ imageIds: [koala], vocabulary: 'nothing' })],
    ['NOT_FOUND', () => ({ imageIds: [koala, UNKNOWN_IMAGE], labels: LABELS })],
  ])('refuses with %s (%#)', async (code, input) => {
    const answer = await classify(input());

    expect(answer.codes).toEqual([code]);
  });
});
