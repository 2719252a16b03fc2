import { beforeAll, describe, expect, test } from '@jest/globals';
import { encodeNodeId } from '../../api/node-ids.ts';
import { listAudit } from '../../store/audit.ts';
import { ensureKeywords } from '../../store/vocabularies.ts';
import { ensureLabels } from '../../store/vocabulary-labels.ts';
import {
  imageIdOf,
  textAt,
  UNKNOWN_IMAGE,
  useApi,
  valuesAt,
  type Answer,
  type TestApi,
} from '../support/api.ts';
import { freshName } from '../support/rows.ts';

let api: TestApi;

beforeAll(async () => {
  api = await useApi();
});

const CHANGED = 'vocabulary { id name version } changed userErrors { code field message }';

interface Options {
  readonly key?: string;
  readonly selection?: string;
}

function put(input: object, { selection = CHANGED, ...options }: Options = {}): Promise<Answer> {
  return api.query(
    `mutation ($input: PutVocabularyInput!) { putVocabulary(input: $input) { ${selection} } }`,
    { ...options, variables: { input } },
  );
}

function importFile(input: object, options: Options = {}): Promise<Answer> {
  return api.query(
    `mutation ($input: ImportVocabularyInput!) { importVocabulary(input: $input) { ${CHANGED} } }`,
    { ...options, variables: { input } },
  );
}

const ANIMALS = [
  { name: 'animal' },
  { name: 'dog', parents: ['animal'], prompts: ['a dog', 'ein Hund'], threshold: 0.7 },
  { name: 'poodle', parents: ['dog'], negativePrompts: ['a sheep'] },
];

async function newVocabulary(labels: readonly object[] = ANIMALS): Promise<string> {
  const name = freshName('animals');
  const answer = await put({ name, labels });
  expect(valuesAt(answer, 'putVocabulary.userErrors')).toEqual([]);
  return name;
}

describe('putVocabulary', () => {
  test('makes one, and versions of it as it changes', async () => {
    const name = freshName('animals');
    const first = await put({ name, labels: ANIMALS, description: 'What lives.' });
    const same = await put({ name, labels: ANIMALS });
    const second = await put({ name, labels: ANIMALS.slice(0, 2), ifVersion: 1 });

    const id = textAt(first, 'putVocabulary.vocabulary.id');
    const made = (version: number, changed: boolean) => ({
      putVocabulary: { vocabulary: { id, name, version }, changed, userErrors: [] },
    });
    expect(first.data).toEqual(made(1, true));
    expect(same.data).toEqual(made(1, false));
    expect(second.data).toEqual(made(2, true));
    const answer = await api.query(
      `query ($name: String!) { vocabulary(name: $name) {
        id description version isOpen labelCount versions { version labelCount createdBy }
        old: labels(version: 1) { totalCount edges { node { name prompts negativePrompts threshold parents { name } vocabulary { name } } } }
        labels(search: "D\\u0000O", first: 1000) { totalCount edges { node { name } } }
      } }`,
      { variables: { name } },
    );
    const [animal, dog, poodle] = ANIMALS.map((label) => ({
      ...{ prompts: [], negativePrompts: [], threshold: null, ...label },
      ...{ parents: (label.parents ?? []).map((parent) => ({ name: parent })) },
      vocabulary: { name },
    }));
    expect(answer.data).toEqual({
      vocabulary: {
        ...{ id, description: 'What lives.', version: 2, isOpen: false, labelCount: 2 },
        versions: [
          { version: 2, labelCount: 2, createdBy: expect.any(String) },
          { version: 1, labelCount: 3, createdBy: expect.any(String) },
        ],
        old: { totalCount: 3, edges: [animal, dog, poodle].map((node) => ({ node })) },
        labels: { totalCount: 1, edges: [{ node: { name: 'dog' } }] },
      },
    });
  });

  test.each<[string, object, string, string]>([
    ['a name', { name: 'a/b', labels: [{ name: 'a' }] }, 'BAD_USER_INPUT', 'name'],
    ['the name of the open one', { name: 'keywords', labels: ANIMALS }, 'CONFLICT', 'name'],
    ['no labels', { name: 'refused', labels: [] }, 'BAD_USER_INPUT', 'labels'],
    ['an empty label', { name: 'refused', labels: [{ name: ' ' }] }, 'BAD_USER_INPUT', 'labels'],
    [
      'a long description',
      { name: 'refused', labels: ANIMALS, description: 'a'.repeat(2001) },
      ...(['BAD_USER_INPUT', 'description'] as const),
    ],
    ['a version', { name: 'refused', labels: ANIMALS, ifVersion: 3 }, 'CONFLICT', 'ifVersion'],
    [
      'an example',
      { name: 'refused', labels: [{ name: 'a', examples: [UNKNOWN_IMAGE] }] },
      ...(['BAD_USER_INPUT', 'labels'] as const),
    ],
  ])('refuses %s that is wrong, and stores nothing', async (_name, input, code, field) => {
    const answer = await put(input);

    expect(answer.data).toMatchObject({
      putVocabulary: {
        ...{ vocabulary: null, changed: false },
        userErrors: [{ code, field: ['input', field] }],
      },
    });
    expect((await api.query('{ vocabulary(name: "refused") { id } }')).data).toEqual({
      vocabulary: null,
    });
  });

  test('is for curators of all collections', async () => {
    await api.services.database.prisma.collection.create({ data: { name: 'scoped' } });
    const input = { name: 'mine', labels: ANIMALS };
    const [reader, scoped, curator] = await Promise.all([
      ...[api.keyFor('READER'), api.keyFor('CURATOR', ['scoped']), api.keyFor('CURATOR')],
    ]);

    expect((await put(input, { key: reader ?? '' })).codes).toEqual(['FORBIDDEN']);
    expect((await put(input, { key: scoped ?? '' })).codes).toEqual(['FORBIDDEN']);
    expect(textAt(await put(input, { key: curator ?? '' }), 'putVocabulary.vocabulary.name')).toBe(
      'mine',
    );
    const seen = await api.query('{ vocabulary(name: "mine") { name versions { createdBy } } }', {
      key: reader ?? '',
    });
    expect(seen.data).toEqual({ vocabulary: { name: 'mine', versions: [{ createdBy: null }] } });
  });

  test('is written into the audit log', async () => {
    const name = await newVocabulary();

    const [entry] = await listAudit(api.services.database.pool, { before: null, limit: 1 });

    expect(entry).toMatchObject({
      ...{ action: 'putVocabulary', subject: name },
      detail: { version: 1, labels: 3, changed: true },
    });
  });
});

describe('examples', () => {
  test('are seen, and exported, by those who may see the images', async () => {
    const collection = freshName('photos');
    await api.indexedCollection(collection, ['coffee']);
    await api.services.database.prisma.collection.create({ data: { name: 'other' } });
    const image = await imageIdOf(api, collection, 'coffee');
    const name = await newVocabulary([{ name: 'cup', examples: [image] }]);
    const question = `{ vocabulary(name: "${name}") { export(format: CSV) labels { edges { node { examples { id } } } } } }`;
    const key = await api.keyFor('READER', ['other']);

    const all = await api.query(question);
    const some = await api.query(question, { key });

    expect(valuesAt(all, 'vocabulary.labels.edges.node.examples.id')).toEqual([image]);
    expect(textAt(all, 'vocabulary.export')).toContain(image);
    expect(valuesAt(some, 'vocabulary.labels.edges.node.examples')).toEqual([]);
    expect(textAt(some, 'vocabulary.export')).not.toContain(image);
  });
});

describe('files', () => {
  test.each(['CSV', 'JSON', 'SKOS'])('as %s come back as they went', async (format) => {
    const name = await newVocabulary();
    const answer = await api.query(
      `query ($format: VocabularyFormat!) { vocabulary(name: "${name}") { export(format: $format) } }`,
      { variables: { format } },
    );
    const content = textAt(answer, 'vocabulary.export');

    const again = await importFile({ name, format, content });
    const copy = await importFile({ name: `${name} copy`, format, content, ifVersion: 0 });

    expect(again.data).toMatchObject({ importVocabulary: { changed: false, userErrors: [] } });
    expect(copy.data).toMatchObject({ importVocabulary: { changed: true, userErrors: [] } });
  });

  test('of five megabytes are imported', async () => {
    const prompts = Array.from({ length: 10 }, (_, i) => `a photo of something, number ${i}`);
    const labels = Array.from({ length: 10_000 }, (_, i) => ({ name: `label ${i}`, prompts }));

    const answer = await importFile({
      ...{ name: 'large', format: 'JSON', content: JSON.stringify({ labels }) },
    });

    expect(answer.data).toMatchObject({ importVocabulary: { changed: true, userErrors: [] } });
  });

  test.each<[string, object, string]>([
    ['without a name', { format: 'CSV', content: 'a\nb' }, 'name'],
    ['of no JSON', { name: 'f', format: 'JSON', content: '{' }, 'content'],
    ['that are empty', { name: 'f', format: 'CSV', content: '' }, 'content'],
    ['above 10 MB', { name: 'f', format: 'CSV', content: 'a'.repeat(10_000_001) }, 'content'],
    ['with a label twice', { name: 'f', format: 'CSV', content: 'a\nA' }, 'content'],
  ])('%s are refused', async (_name, input, field) => {
    expect((await importFile(input)).data).toMatchObject({
      importVocabulary: { userErrors: [{ code: 'BAD_USER_INPUT', field: ['input', field] }] },
    });
  });
});

describe('reading', () => {
  test('pages stay with the version they began with', async () => {
    const name = await newVocabulary();
    const page = (after: string | null) =>
      api.query(
        `query ($after: String) { vocabulary(name: "${name}") {
          labels(first: 2, after: $after) { edges { node { name } } pageInfo { endCursor hasNextPage } } } }`,
        { variables: { after } },
      );
    const first = await page(null);
    await put({ name, labels: [{ name: 'cat' }] });

    const second = await page(textAt(first, 'vocabulary.labels.pageInfo.endCursor'));

    expect(valuesAt(first, 'vocabulary.labels.edges.node.name')).toEqual(['animal', 'dog']);
    expect(valuesAt(second, 'vocabulary.labels.edges.node.name')).toEqual(['poodle']);
    expect(valuesAt(second, 'vocabulary.labels.pageInfo.hasNextPage')).toEqual([false]);
  });

  test.each([
    ['labels(first: 1001) { totalCount }', 'BAD_USER_INPUT'],
    ['labels(after: "x") { totalCount }', 'BAD_USER_INPUT'],
    ['labels(version: 2) { totalCount }', 'NOT_FOUND'],
    ['export(format: CSV, version: 0)', 'NOT_FOUND'],
  ])('%s is %s', async (selection, code) => {
    const name = await newVocabulary();

    const answer = await api.query(`{ vocabulary(name: "${name}") { ${selection} } }`);

    expect(answer.codes).toEqual([code]);
  });

  test('vocabularies and labels are nodes', async () => {
    const name = await newVocabulary();
    const found = await api.query(
      `{ vocabulary(name: "${name}") { id labels(first: 1) { edges { node { id } } } } }`,
    );
    const ids = ['vocabulary.id', 'vocabulary.labels.edges.node.id'].map((path) =>
      textAt(found, path),
    );
    const unknown = encodeNodeId('Label', String(2 ** 31));

    const answer = await api.query(
      `query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on Label { name } ... on Vocabulary { name } } }`,
      { variables: { ids: [...ids, unknown] } },
    );

    expect(answer.data).toEqual({
      nodes: [
        { __typename: 'Vocabulary', id: ids[0], name },
        { __typename: 'Label', id: ids[1], name: 'animal' },
        null,
      ],
    });
  });

  test('vocabularies are listed by name', async () => {
    const name = await newVocabulary();

    const answer = await api.query(
      '{ vocabularies(first: 100) { totalCount edges { node { name } } } }',
    );

    const names = valuesAt(answer, 'vocabularies.edges.node.name');
    expect(names).toContain(name);
    expect(valuesAt(answer, 'vocabularies.totalCount')).toEqual([names.length]);
  });

  test('the open vocabulary has the labels that are used', async () => {
    const { pool } = api.services.database;
    const { id } = await ensureKeywords(pool);
    await ensureLabels(pool, id, ['beach', 'Beach 🏖']);

    const answer = await api.query(
      '{ vocabulary(name: "keywords") { isOpen version labelCount labels { totalCount edges { node { name prompts parents { id } } } } export(format: CSV) } }',
    );

    expect(answer.data).toMatchObject({
      vocabulary: { isOpen: true, version: 1, labelCount: 2, labels: { totalCount: 2 } },
    });
    expect(textAt(answer, 'vocabulary.export')).toContain('Beach 🏖');
  });
});

describe('deleteVocabulary', () => {
  const remove = (vocabulary: string, options: Options = {}) =>
    api.query(
      'mutation ($input: DeleteVocabularyInput!) { deleteVocabulary(input: $input) { deletedVocabularyId userErrors { code field } } }',
      { ...options, variables: { input: { vocabulary } } },
    );

  test('deletes it, once', async () => {
    const name = await newVocabulary();
    const curator = await api.keyFor('CURATOR');

    const codes = (await remove(name, { key: curator })).codes;
    const first = await remove(name);
    const second = await remove(name);

    expect(codes).toEqual(['FORBIDDEN']);
    expect(textAt(first, 'deleteVocabulary.deletedVocabularyId')).not.toBe('');
    expect(second.data).toEqual({
      deleteVocabulary: {
        ...{ deletedVocabularyId: null },
        userErrors: [{ code: 'NOT_FOUND', field: ['input', 'vocabulary'] }],
      },
    });
  });

  test('leaves the open one', async () => {
    await ensureKeywords(api.services.database.pool);

    expect(valuesAt(await remove('keywords'), 'deleteVocabulary.userErrors.code')).toEqual([
      'CONFLICT',
    ]);
  });
});
