import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { listAudit } from '../../store/audit.ts';
import {
  imageIdOf,
  textAt,
  UNKNOWN_IMAGE,
  UNKNOWN_SOURCE,
  useApi,
  valuesAt,
  type Answer,
  type TestApi,
} from '../support/api.ts';
import { SAMPLE_PHOTOS } from '../support/bundles.ts';
import { freshName } from '../support/rows.ts';

const ERRORS = 'userErrors { code field }';
let api: TestApi;

beforeAll(async () => {
  api = await useApi();
});

/** `mutation { name(input: …) { selection userErrors { code field } } }`. */
function mutate(
  name: string,
  selection: string,
  input: object,
  options: Omit<NonNullable<Parameters<TestApi['query']>[1]>, 'variables'> = {},
): Promise<Answer> {
  const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input`;
  const document = `mutation ($input: ${type}!) { ${name}(input: $input) { ${selection} ${ERRORS} } }`;
  return api.query(document, { ...options, variables: { input } });
}

const photo = (name: string): Promise<Buffer> => readFile(join(SAMPLE_PHOTOS, `${name}.jpg`));

async function newCollection(): Promise<string> {
  const name = freshName('collection');
  const answer = await mutate('createCollection', 'collection { id }', { name });
  expect(valuesAt(answer, 'createCollection.userErrors')).toEqual([]);
  return name;
}

describe('createCollection', () => {
  test('makes one that can be searched at once and is empty', async () => {
    const name = await newCollection();

    const answer = await api.query(
      `query ($name: String!) {
        collection(name: $name) { name description imageCount sources { id } generation { state } textModel { name } }
        search(input: { collection: $name, text: "a" }) { edges { rank } path }
      }`,
      { variables: { name } },
    );

    expect(answer.data).toEqual({
      collection: {
        ...{ name, description: '', imageCount: 0, sources: [] },
        ...{ generation: { state: 'LIVE' }, textModel: { name: expect.any(String) } },
      },
      search: { edges: [], path: 'EXACT' },
    });
  });

  test('refuses a name that is taken', async () => {
    const name = await newCollection();

    const answer = await mutate('createCollection', 'collection { id }', { name });

    expect(answer.data).toEqual({
      createCollection: {
        collection: null,
        userErrors: [{ code: 'CONFLICT', field: ['input', 'name'] }],
      },
    });
  });

  test('of two at the same time with one name makes one', async () => {
    const name = freshName('twice');
    const answers = await Promise.all(
      [1, 2].map(() => mutate('createCollection', 'collection { id }', { name })),
    );

    const codes = answers.flatMap((answer) => valuesAt(answer, 'createCollection.userErrors.code'));
    expect(codes.filter((code) => code !== undefined)).toEqual(['CONFLICT']);
  });

  test.each<[string, object, string | null]>([
    ['an empty name', { name: '' }, 'name'],
    ['a name with a slash', { name: 'a/b' }, 'name'],
    ['a name of 101 characters', { name: 'a'.repeat(101) }, 'name'],
    ['a long description', { name: 'long', description: 'a'.repeat(2001) }, 'description'],
  ])('refuses %s', async (_name, input, field) => {
    const answer = await mutate('createCollection', 'collection { id }', input);

    expect(valuesAt(answer, 'createCollection.userErrors')).toEqual([
      { code: 'BAD_USER_INPUT', field: ['input', field] },
    ]);
  });
});

describe('deleteCollection', () => {
  test('takes its images, jobs and index with it, and nothing of others', async () => {
    await api.indexedCollection('going', ['coffee', 'koala']);
    await api.indexedCollection('staying', ['coffee', 'koala']);
    const before = await api.query(
      `{ collection(name: "going") { id generation { id } sources { id } }
         images(collection: "going") { edges { node { id } } }
         jobs(collection: "going") { edges { node { id } } } }`,
    );
    const ids = [
      ...['collection.id', 'collection.generation.id', 'collection.sources.id'],
      ...['images.edges.node.id', 'jobs.edges.node.id'],
    ].map((path) => textAt(before, path));

    const deleted = await mutate('deleteCollection', 'deletedCollectionId', {
      collection: 'going',
    });

    expect(textAt(deleted, 'deleteCollection.deletedCollectionId')).toBe(ids[0]);
    const after = await api.query(
      `query ($ids: [ID!]!) {
        nodes(ids: $ids) { id }
        collection(name: "going") { id }
        search(input: { collection: "staying", text: "a koala" }) { edges { node { path } } }
        jobs(collection: "staying") { totalCount }
      }`,
      { variables: { ids } },
    );
    expect(after.data).toEqual({
      ...{ nodes: ids.map(() => null), collection: null, jobs: { totalCount: 1 } },
      search: {
        edges: [{ node: { path: 'src/koala.jpg' } }, { node: { path: 'src/coffee.jpg' } }],
      },
    });
    const search = await api.query(
      '{ search(input: { collection: "going", text: "a" }) { path } }',
    );
    expect(search.codes).toEqual(['NOT_FOUND']);
  });

  test('leaves the name free', async () => {
    const name = await newCollection();
    await mutate('deleteCollection', 'deletedCollectionId', { collection: name });

    const again = await mutate('createCollection', 'collection { imageCount }', { name });

    expect(again.data).toMatchObject({ createCollection: { collection: { imageCount: 0 } } });
  });
});

describe('addSource', () => {
  test('adds a folder below MEDIA_ROOTS, named as the folder', async () => {
    const collection = await newCollection();
    const folder = await api.copyPhotos(['coffee']);

    const answer = await mutate('addSource', 'source { name folder } collection { name }', {
      ...{ collection, folder },
    });

    expect(answer.data).toEqual({
      addSource: {
        source: { name: expect.stringMatching(/^photos-\d+$/), folder },
        ...{ collection: { name: collection }, userErrors: [] },
      },
    });
  });

  test.each<[string, (root: string) => Promise<string> | string]>([
    ['outside of MEDIA_ROOTS', () => tmpdir()],
    ['that leads out by dots', (root) => join(root, '..')],
    ['that is missing', (root) => join(root, 'gone')],
    [
      'that is a link out',
      async (root) => {
        await symlink(SAMPLE_PHOTOS, join(root, 'link'));
        return join(root, 'link');
      },
    ],
    [
      'that is a file',
      async (root) => {
        await writeFile(join(root, 'file'), '');
        return join(root, 'file');
      },
    ],
    ['with a NUL', (root) => `${root}\0`],
    ['of no name', () => ''],
  ])('refuses a folder %s', async (_name, folderOf) => {
    const collection = await newCollection();

    const answer = await mutate('addSource', 'source { id }', {
      ...{ collection, folder: await folderOf(api.mediaRoot) },
    });

    expect(answer.data).toEqual({
      addSource: {
        source: null,
        userErrors: [{ code: 'BAD_USER_INPUT', field: ['input', 'folder'] }],
      },
    });
  });

  test('refuses a name that is taken, or has a slash', async () => {
    const collection = await newCollection();
    const folder = await api.copyPhotos(['coffee']);
    const add = async (name: string): Promise<readonly unknown[]> =>
      valuesAt(
        await mutate('addSource', 'source { id }', { collection, folder, name }),
        'addSource.userErrors',
      );

    expect(await add('mine')).toEqual([]);
    expect(await add('mine')).toEqual([{ code: 'CONFLICT', field: ['input', 'name'] }]);
    expect(await add('a/b')).toEqual([{ code: 'BAD_USER_INPUT', field: ['input', 'name'] }]);
  });
});

const SCHEDULE = 'source { id rescanEverySeconds watch settleSeconds prune }';

describe('the schedule of a source', () => {
  const NONE = { rescanEverySeconds: null, watch: false, settleSeconds: 5, prune: false };

  async function newSource(schedule: object = {}): Promise<{ answer: Answer; id: string }> {
    const collection = await newCollection();
    const folder = await api.copyPhotos(['coffee']);
    const answer = await mutate('addSource', SCHEDULE, { collection, folder, ...schedule });
    return { answer, id: textAt(answer, 'addSource.source.id') };
  }

  test('is none, unless addSource asks for one', async () => {
    const schedule = { rescanEverySeconds: 900, watch: true, settleSeconds: 0, prune: true };

    const [plain, scheduled] = [await newSource(), await newSource(schedule)];

    expect(plain.answer.data).toMatchObject({ addSource: { source: NONE } });
    expect(scheduled.answer.data).toMatchObject({ addSource: { source: schedule } });
  });

  test('changes by updateSource where it is told to, and the audit log has it', async () => {
    const { id } = await newSource({ rescanEverySeconds: 900 });

    const watched = await mutate('updateSource', SCHEDULE, { id, watch: true, prune: null });
    const off = await mutate('updateSource', SCHEDULE, { id, rescanEverySeconds: null });
    const [entry] = await listAudit(api.services.database.pool, { before: null, limit: 1 });

    expect(watched.data).toMatchObject({
      updateSource: { source: { ...NONE, id, rescanEverySeconds: 900, watch: true } },
    });
    expect(off.data).toEqual({
      updateSource: { source: { ...NONE, id, watch: true }, userErrors: [] },
    });
    expect(entry).toMatchObject({
      ...{ action: 'updateSource', actor: api.adminKey.slice(0, 16) },
      detail: { rescanEverySeconds: null },
    });
  });

  test.each<[string, object]>([
    ['rescanEverySeconds', { rescanEverySeconds: 59 }],
    ['rescanEverySeconds', { rescanEverySeconds: 31_536_001 }],
    ['settleSeconds', { settleSeconds: -1 }],
    ['settleSeconds', { settleSeconds: 3601 }],
  ])('is refused with its field: %s, %j', async (field, schedule) => {
    const collection = await newCollection();
    const folder = await api.copyPhotos(['coffee']);
    const { id } = await newSource();

    const added = await mutate('addSource', SCHEDULE, { collection, folder, ...schedule });
    const updated = await mutate('updateSource', SCHEDULE, { id, ...schedule });

    const userErrors = [{ code: 'BAD_USER_INPUT', field: ['input', field] }];
    expect(added.data).toEqual({ addSource: { source: null, userErrors } });
    expect(updated.data).toEqual({ updateSource: { source: null, userErrors } });
  });

  test('of a source that is not there, or that the key may not see, is NOT_FOUND', async () => {
    const { id } = await newSource();
    const key = await api.keyFor('ADMIN', [await newCollection()]);

    const answers = [
      await mutate('updateSource', SCHEDULE, { id, watch: true }, { key }),
      await mutate('updateSource', SCHEDULE, { id: UNKNOWN_SOURCE, watch: true }),
      await mutate('updateSource', SCHEDULE, { id: 'nonsense', watch: true }),
    ];

    const userErrors = [{ code: 'NOT_FOUND', field: ['input', 'id'] }];
    for (const { data } of answers) {
      expect(data).toEqual({ updateSource: { source: null, userErrors } });
    }
  });
});

describe('startIngest', () => {
  const JOB =
    'job { id kind state total done failed skipped plan { files toRead unchanged } result }';
  const JOB_BY_ID = `query ($id: ID!) { job(id: $id) { ${JOB.slice(6, -2)} } }`;

  async function collectionWithSource(photos: readonly string[]): Promise<string> {
    const collection = await newCollection();
    await mutate('addSource', 'source { id }', {
      collection,
      folder: await api.copyPhotos(photos),
    });
    return collection;
  }

  test('reads the sources; done again it finds everything unchanged', async () => {
    const collection = await collectionWithSource(['coffee', 'koala', 'brick']);

    const first = await mutate('startIngest', JOB, { collection });
    const id = textAt(first, 'startIngest.job.id');
    await api.runJob(id);
    const done = await api.query(JOB_BY_ID, { variables: { id } });
    const again = textAt(await mutate('startIngest', JOB, { collection }), 'startIngest.job.id');
    await api.runJob(again);

    expect(first.data).toMatchObject({ startIngest: { job: { kind: 'INGEST', total: null } } });
    expect(done.data).toMatchObject({
      job: {
        ...{ state: 'SUCCEEDED', total: 3, done: 3, failed: 0, skipped: 0 },
        plan: { files: 3, toRead: 3, unchanged: 0 },
        result: { embedded: expect.any(Number) },
      },
    });
    expect((await api.query(JOB_BY_ID, { variables: { id: again } })).data).toMatchObject({
      job: { state: 'SUCCEEDED', plan: { files: 3, toRead: 0, unchanged: 3 } },
    });
  });

  test('as a dry run only plans', async () => {
    const collection = await collectionWithSource(['coffee', 'koala']);

    const started = await mutate('startIngest', JOB, { collection, dryRun: true });
    const id = textAt(started, 'startIngest.job.id');
    await api.runJob(id);

    const answer = await api.query(
      `query ($id: ID!, $collection: String!) {
        job(id: $id) { state plan { files toRead } }
        collection(name: $collection) { imageCount }
      }`,
      { variables: { id, collection } },
    );
    expect(answer.data).toEqual({
      job: { state: 'PLANNED', plan: { files: 2, toRead: 2 } },
      collection: { imageCount: 0 },
    });
  });

  test('twice with one idempotencyKey gives one job, also at the same time', async () => {
    const collection = await collectionWithSource(['coffee']);
    const start = async (idempotencyKey: string, key = api.adminKey): Promise<string> =>
      textAt(
        await mutate('startIngest', JOB, { collection, idempotencyKey }, { key }),
        'startIngest.job.id',
      );

    const first = await start('a');
    const same = await Promise.all([1, 2, 3, 4].map(() => start('b')));

    expect(await start('a')).toBe(first);
    expect(new Set(same).size).toBe(1);
    expect(same[0]).not.toBe(first);
    expect(await start('a', await api.keyFor('ADMIN'))).not.toBe(first);
  });

  test.each(['', 'a'.repeat(201), 'a\0'])(
    'refuses the idempotencyKey %#',
    async (idempotencyKey) => {
      const answer = await mutate('startIngest', JOB, {
        ...{ collection: await newCollection(), idempotencyKey },
      });

      expect(valuesAt(answer, 'startIngest.userErrors')).toEqual([
        { code: 'BAD_USER_INPUT', field: ['input', 'idempotencyKey'] },
      ]);
    },
  );
});

describe('uploadImages', () => {
  async function upload(
    collection: string,
    files: readonly (readonly [name: string, bytes: Uint8Array])[],
    rest: object = {},
  ): Promise<Answer> {
    return mutate(
      'uploadImages',
      'job { id state }',
      { collection, files: files.map(() => null), ...rest },
      {
        files: Object.fromEntries(
          files.map(([name, bytes], i) => [`variables.input.files.${i}`, { name, bytes }]),
        ),
      },
    );
  }

  test('indexes what is an image and says of each other file why not', async () => {
    const collection = await newCollection();
    const coffee = await photo('coffee');

    const answer = await upload(collection, [
      ['coffee.jpg', coffee],
      ['notes.jpg', Buffer.from('not an image')],
      ['cut.jpg', coffee.subarray(0, coffee.length / 2)],
    ]);
    const id = textAt(answer, 'uploadImages.job.id');
    await api.runJob(id);

    const after = await api.query(
      `query ($id: ID!, $collection: String!) {
        job(id: $id) {
          state total done failed
          failures { totalCount edges { node { path state reasonCode } } }
        }
        search(input: { collection: $collection, text: "coffee" }) {
          edges { node { path format sha256 } }
        }
      }`,
      { variables: { id, collection } },
    );
    expect(after.data).toMatchObject({
      job: {
        ...{ state: 'SUCCEEDED', total: 3, done: 1, failed: 2 },
        failures: {
          totalCount: 2,
          edges: [
            { node: { state: 'FAILED', reasonCode: 'NOT_AN_IMAGE' } },
            { node: { state: 'FAILED', reasonCode: 'TRUNCATED' } },
          ],
        },
      },
      search: { edges: [{ node: { path: expect.stringMatching(/^uploads\//), format: 'JPEG' } }] },
    });
  });

  test('with one idempotencyKey gives one job', async () => {
    const collection = await newCollection();
    const files = [['a.jpg', await photo('koala')]] as const;
    const rest = { idempotencyKey: 'once' };

    const first = textAt(await upload(collection, files, rest), 'uploadImages.job.id');
    const both = await Promise.all([1, 2].map(() => upload(collection, files, rest)));

    expect(both.map((answer) => textAt(answer, 'uploadImages.job.id'))).toEqual([first, first]);
  });

  test('refuses no file and names the field', async () => {
    const answer = await upload(await newCollection(), []);

    expect(valuesAt(answer, 'uploadImages.userErrors')).toEqual([
      { code: 'BAD_USER_INPUT', field: ['input', 'files'] },
    ]);
  });

  test('takes hostile names as names', async () => {
    const collection = await newCollection();
    const files = ['../../etc/passwd', '/absolute.jpg', 'a\nb.jpg', 'ä ö.jpg'].map(
      async (name) => [name, await photo('brick')] as const,
    );

    const answer = await upload(collection, await Promise.all(files));
    await api.runJob(textAt(answer, 'uploadImages.job.id'));

    const images = await api.query(
      'query ($collection: String!) { images(collection: $collection) { edges { node { path } } } }',
      { variables: { collection } },
    );
    for (const path of valuesAt(images, 'images.edges.node.path')) {
      expect(path).toMatch(/^uploads\//);
      expect(path).not.toMatch(/\.\.\//);
    }
  });

  test('refuses what is no upload', async () => {
    const answer = await mutate('uploadImages', 'job { id }', {
      ...{ collection: await newCollection(), files: ['text'] },
    });

    expect(answer.codes).toEqual(['BAD_USER_INPUT']);
  });
});

describe('deleteImages', () => {
  test('deletes those that are there and names the others', async () => {
    await api.indexedCollection('mixed', ['coffee', 'koala']);
    await api.indexedCollection('hidden', ['coffee']);
    const key = await api.keyFor('CURATOR', ['mixed']);
    const [own, hidden] = [
      await imageIdOf(api, 'mixed', 'coffee'),
      await imageIdOf(api, 'hidden', 'coffee'),
    ];

    const answer = await mutate(
      'deleteImages',
      'deletedImageIds',
      { ids: [own, hidden, UNKNOWN_IMAGE, 'x', own] },
      { key },
    );

    const missing = { code: 'NOT_FOUND', field: ['input', 'ids'] };
    expect(answer.data).toEqual({
      deleteImages: { deletedImageIds: [own], userErrors: [missing, missing, missing] },
    });
    const left = await api.query(
      '{ mixed: images(collection: "mixed") { totalCount } hidden: images(collection: "hidden") { totalCount } }',
    );
    expect(left.data).toEqual({ mixed: { totalCount: 1 }, hidden: { totalCount: 1 } });
  });

  test('takes a thousand ids and no more', async () => {
    const ids = Array.from({ length: 1001 }, (_, i) => `x${i}`);

    const answer = await mutate('deleteImages', 'deletedImageIds', { ids });

    expect(valuesAt(answer, 'deleteImages.userErrors')).toEqual([
      { code: 'BAD_USER_INPUT', field: ['input', 'ids'] },
    ]);
  });
});

describe('API keys', () => {
  const CREATED = 'secret apiKey { id prefix name role collections { name } revokedAt }';

  test('work at once, for their collections, until they are revoked', async () => {
    const collection = await newCollection();

    const created = await mutate('createApiKey', CREATED, {
      ...{ role: 'CURATOR', collections: [collection], name: 'for a test' },
    });
    const secret = textAt(created, 'createApiKey.secret');
    const viewer = '{ viewer { role keyName keyPrefix collections { name } } }';
    const working = await api.query(viewer, { key: secret });
    const id = textAt(created, 'createApiKey.apiKey.id');
    const revoked = await mutate('revokeApiKey', 'apiKey { id revokedAt }', { id });
    const ended = await api.query(viewer, { key: secret });

    expect(working.data).toEqual({
      viewer: {
        ...{ role: 'CURATOR', keyName: 'for a test', keyPrefix: secret.slice(0, 16) },
        collections: [{ name: collection }],
      },
    });
    expect(textAt(revoked, 'revokeApiKey.apiKey.revokedAt')).toMatch(/Z$/);
    expect(ended).toMatchObject({ status: 401, codes: ['UNAUTHENTICATED'] });
  });

  test('are revoked by their prefix too, and again without a change', async () => {
    const secret = await api.keyFor('READER');
    const revoke = async (): Promise<string> =>
      textAt(
        await mutate('revokeApiKey', 'apiKey { revokedAt }', { id: secret.slice(0, 16) }),
        'revokeApiKey.apiKey.revokedAt',
      );

    expect(await revoke()).toBe(await revoke());
  });

  test('are told secret once: nothing in the database holds it', async () => {
    const created = await mutate('createApiKey', CREATED, { role: 'READER' });
    const secret = textAt(created, 'createApiKey.secret');
    await api.query('{ viewer { role } }', { key: secret });
    const { pool } = api.services.database;

    const { rows: tables } = await pool.query<{ name: string }>(
      "SELECT quote_ident(table_name) AS name FROM information_schema.tables WHERE table_schema = 'public'",
    );
    const hidden = secret.slice(17);
    expect(tables.length).toBeGreaterThan(10);
    for (const { name } of tables) {
      const { rows } = await pool.query<{ text: string }>(`SELECT t::text AS text FROM ${name} t`);
      expect(rows.filter(({ text }) => text.includes(hidden))).toEqual([]);
    }
    const listed = await api.query('{ apiKeys { id name prefix role } }');
    expect(listed.text).toContain(secret.slice(0, 16));
    expect(listed.text).not.toContain(hidden);
  });

  test.each<[string, object, string, string | null]>([
    ['for no collection', { role: 'READER', collections: [] }, 'BAD_USER_INPUT', 'collections'],
    [
      'for an unknown one',
      { role: 'READER', collections: ['nowhere'] },
      'NOT_FOUND',
      'collections',
    ],
    ['of a long name', { role: 'READER', name: 'a'.repeat(201) }, 'BAD_USER_INPUT', 'name'],
  ])('are not made %s', async (_name, input, code, field) => {
    const answer = await mutate('createApiKey', CREATED, input);

    expect(answer.data).toEqual({
      createApiKey: {
        ...{ apiKey: null, secret: null },
        userErrors: [{ code, field: ['input', field] }],
      },
    });
  });

  test.each(['', 'x', 'slk_000000000000', UNKNOWN_IMAGE])(
    'that are not there are not revoked: %s',
    async (id) => {
      const answer = await mutate('revokeApiKey', 'apiKey { id }', { id });

      expect(valuesAt(answer, 'revokeApiKey.userErrors')).toEqual([
        { code: 'NOT_FOUND', field: ['input', 'id'] },
      ]);
    },
  );
});

test('a folder made after the start is a source as good as any', async () => {
  const folder = join(api.mediaRoot, 'deep', 'er');
  await mkdir(folder, { recursive: true });

  const answer = await mutate('addSource', 'source { name }', {
    ...{ collection: await newCollection(), folder },
  });

  expect(answer.data).toMatchObject({ addSource: { source: { name: 'er' } } });
});
