import { beforeAll, describe, expect, test } from '@jest/globals';
import { getIntrospectionQuery } from 'graphql';
import { parseConfig } from '../../api/config.ts';
import { loadOrCreateSecret } from '../../api/media/secret-file.ts';
import { UrlSigner } from '../../api/media/signer.ts';
import { answerOf, textAt, useApi, type Answer, type TestApi } from '../support/api.ts';

let api: TestApi;

beforeAll(async () => {
  api = await useApi({ NODE_ENV: 'production' });
  await api.indexedCollection('photos', ['coffee', 'koala']);
});

const JSON_TYPE = { 'content-type': 'application/json' };

async function post(
  body: string | FormData,
  headers: Record<string, string> = JSON_TYPE,
): Promise<Answer> {
  const authorization = `Bearer ${api.adminKey}`;
  const sent = { method: 'POST', body, headers: { authorization, ...headers } };
  return answerOf(await api.fetch('/graphql', sent));
}

function expectNoTrace({ text }: Pick<Answer, 'text'>): void {
  expect(text).not.toMatch(/\n\s+at |node_modules|stacktrace|\.ts:\d/);
}

describe('a request is refused', () => {
  test.each<[string, Record<string, string>]>([
    ['without a key', {}],
    ['with a key of another form', { authorization: 'Bearer x' }],
    ['with another scheme', { authorization: 'Basic eDp5' }],
    ['with a key nobody has', { authorization: `Bearer slk_000000000000_${'a'.repeat(43)}` }],
  ])('%s', async (_name, headers) => {
    const answer = await api.query('{ viewer { role } }', { key: null, headers });

    expect(answer).toMatchObject({ status: 401, codes: ['UNAUTHENTICATED'], data: null });
    expectNoTrace(answer);
  });

  test('without a key before its body is read', async () => {
    const response = await api.fetch('/graphql', {
      ...{ method: 'POST', headers: JSON_TYPE, body: '{ broken' },
    });

    expect(response.status).toBe(401);
  });

  test.each<[string, string, number]>([
    [
      'of several operations in an array',
      '[{"query":"{viewer{role}}"},{"query":"{viewer{role}}"}]',
      400,
    ],
    ['that is no JSON', '{"query":', 400],
    ['of an empty body', '', 400],
    ['of another object', '{"a":1}', 400],
    ['of a number', '{"query":7}', 400],
    ['of null', 'null', 400],
    ['of wrong syntax', '{"query":"{"}', 400],
    ['of a field there is not', '{"query":"{ planet }"}', 400],
    ['of variables that are no object', '{"query":"{viewer{role}}","variables":[1]}', 400],
    [
      'of an operation that is not in it',
      '{"query":"query A{viewer{role}}","operationName":"B"}',
      400,
    ],
    ['over 16 MB', JSON.stringify({ query: '{viewer{role}}', extra: 'x'.repeat(17e6) }), 413],
  ])('%s', async (_name, body, status) => {
    const answer = await post(body);

    expect(answer.status).toBe(status);
    expect(answer.data).toBe(null);
    expectNoTrace(answer);
  });

  test("over 1 MB, of who can't import vocabularies", async () => {
    const body = JSON.stringify({ query: '{viewer{role}}', extra: 'x'.repeat(1_100_000) });
    const [reader, curator] = [await api.keyFor('READER'), await api.keyFor('CURATOR')];
    const send = (key: string): Promise<Response> =>
      api.fetch('/graphql', {
        ...{ method: 'POST', body },
        headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
      });

    expect((await send(reader)).status).toBe(413);
    expect((await send(curator)).status).toBe(200);
  });

  test('with a mutation by GET', async () => {
    const query = encodeURIComponent(
      'mutation { createCollection(input: { name: "got" }) { userErrors { code } } }',
    );
    const headers = {
      ...{ authorization: `Bearer ${api.adminKey}`, 'apollo-require-preflight': 'true' },
    };

    const answer = await answerOf(await api.fetch(`/graphql?query=${query}`, { headers }));

    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect((await api.query('{ collection(name: "got") { id } }')).data).toEqual({
      collection: null,
    });
  });

  test('as a form of another page could send it', async () => {
    const form = new FormData();
    form.set('operations', '{"query":"{ viewer { role } }"}');
    form.set('map', '{}');

    expect((await post(form, {})).status).toBe(400);
    expect(
      (await post('{"query":"{viewer{role}}"}', { 'content-type': 'text/plain' })).status,
    ).toBe(400);
    const query = encodeURIComponent('{viewer{role}}');
    const authorization = `Bearer ${api.adminKey}`;
    const got = await api.fetch(`/graphql?query=${query}`, { headers: { authorization } });
    expect(got.status).toBe(400);
  });

  test.each<[string, string]>([
    [
      'of many aliases',
      `{ ${Array.from({ length: 31 }, (_, i) => `a${i}: viewer { role }`).join(' ')} }`,
    ],
    ['of many root fields', `{ ${'viewer { role } '.repeat(21)} }`],
    ['nested', `${'{ a '.repeat(60)}${'}'.repeat(60)}`],
    ['endless', `{ ${'viewer { role } '.repeat(3000)} }`],
  ])('with a document that is %s', async (_name, query) => {
    const answer = await api.query(query);

    expect(answer).toMatchObject({ status: 400, codes: ['COST_EXCEEDED'] });
    expectNoTrace(answer);
  });

  test('with a filter in a filter in a filter', async () => {
    const filter = `${'{ not: '.repeat(60)}{}${'}'.repeat(60)}`;

    const document = `{ images(collection: "photos", filter: ${filter}) { totalCount } }`;

    expect((await api.query(document)).codes).toEqual(['COST_EXCEEDED']);
  });

  test('with more levels of fields than there are uses for', async () => {
    const deep = `{ ${'a { '.repeat(13)}id${' }'.repeat(13)} }`;

    expect((await api.query(deep)).codes).toEqual(['COST_EXCEEDED']);
  });
});

describe('the schema', () => {
  test('can not be asked for in production, and misspelt names get no hint', async () => {
    const asked = await api.query(getIntrospectionQuery());
    const misspelt = await api.query('{ viewr { role } }');

    expect(asked.data).toBe(null);
    expect(asked.codes).not.toEqual([]);
    expect(misspelt.text).not.toMatch(/Did you mean/);
  });

  test.each([
    [{ NODE_ENV: 'production' }, false],
    [{ NODE_ENV: 'production', INTROSPECTION: 'on' }, true],
    [{ NODE_ENV: 'development' }, true],
    [{ INTROSPECTION: 'off' }, false],
    [{}, true],
  ])('with %j can be asked for: %j', (environment, expected) => {
    expect(parseConfig(environment).isIntrospectable).toBe(expected);
  });

  test('is for operators at /schema.graphql', async () => {
    const elsewhere = { 'x-forwarded-for': '203.0.113.1' };
    const statusFor = async (headers: Record<string, string>): Promise<number> =>
      (await api.fetch('/schema.graphql', { headers })).status;

    expect(await (await api.fetch('/schema.graphql', { headers: {} })).text()).toMatch(
      /type Query/,
    );
    expect(await statusFor(elsewhere)).toBe(403);
    const reader = `Bearer ${await api.keyFor('READER')}`;
    expect(await statusFor({ ...elsewhere, authorization: reader })).toBe(403);
    expect(await statusFor({ ...elsewhere, authorization: `Bearer ${api.adminKey}` })).toBe(200);
  });
});

describe('beside GraphQL', () => {
  test('/healthz and /readyz answer anybody', async () => {
    const health = await api.fetch('/healthz', { headers: {} });
    const ready = await api.fetch('/readyz', { headers: {} });

    expect(await health.json()).toEqual({ status: 'alive' });
    expect(ready.status).toBe(200);
    expect(await ready.json()).toMatchObject({
      status: 'ready',
      checks: ['database', 'model', 'index'].map((name) => ({ name, ok: true })),
    });
  });

  test('/metrics counts searches, for operators', async () => {
    await api.query('{ search(input: { collection: "photos", text: "a cup" }) { path } }');

    const metrics = await api.fetch('/metrics', { headers: {} });
    const refused = await api.fetch('/metrics', { headers: { 'x-forwarded-for': '203.0.113.1' } });

    const scoped = await api.fetch('/metrics', {
      headers: {
        'x-real-ip': '203.0.113.1',
        authorization: `Bearer ${await api.keyFor('ADMIN', ['photos'])}`,
      },
    });

    expect(metrics.status).toBe(200);
    expect(await metrics.text()).toMatch(/search/);
    expect(refused.status).toBe(403);
    expect(scoped.status).toBe(403);
  });

  test('no answer says what the server is made of', async () => {
    for (const path of ['/healthz', '/nowhere', '/graphql', '/images/x']) {
      const response = await api.fetch(path);

      expect(response.headers.get('x-powered-by')).toBe(null);
      expect(response.headers.get('x-content-type-options')).toBe('nosniff');
      expectNoTrace({ text: await response.text() });
    }
  });
});

describe('signed links', () => {
  async function links(): Promise<{ readonly url: string; readonly thumbnailUrl: string }> {
    const answer = await api.query(
      '{ images(collection: "photos", filter: { path: { contains: "koala" } }) { edges { node { url thumbnailUrl } } } }',
    );
    return {
      url: textAt(answer, 'images.edges.node.url'),
      thumbnailUrl: textAt(answer, 'images.edges.node.thumbnailUrl'),
    };
  }

  test('give the file and a smaller WebP, without a key', async () => {
    const { url, thumbnailUrl } = await links();

    const image = await api.fetch(url, { headers: {} });
    const thumbnail = await api.fetch(thumbnailUrl, { headers: {} });

    expect(image.status).toBe(200);
    expect(image.headers.get('content-type')).toBe('image/jpeg');
    expect(thumbnail.headers.get('content-type')).toBe('image/webp');
    const [whole, small] = [await image.arrayBuffer(), await thumbnail.arrayBuffer()];
    expect(Buffer.from(small).toString('latin1', 8, 12)).toBe('WEBP');
    expect(small.byteLength).toBeLessThan(whole.byteLength);
  });

  test('give a part where a part is asked for', async () => {
    const { url } = await links();
    const whole = Buffer.from(await (await api.fetch(url)).arrayBuffer());

    const part = await api.fetch(url, { headers: { range: 'bytes=10-19' } });

    expect(part.status).toBe(206);
    expect(Buffer.from(await part.arrayBuffer())).toEqual(whole.subarray(10, 20));
  });

  test('do not work when they were altered', async () => {
    const { url, thumbnailUrl } = await links();
    const altered = [
      url.replace(/sig=./, 'sig=_'),
      url.replace(/exp=\d/, 'exp=9'),
      url.replace('/images/', '/thumbnails/'),
      url.replace(/\?.*/, ''),
      thumbnailUrl.replace('MEDIUM', 'LARGE'),
    ];

    for (const link of altered) {
      const response = await api.fetch(link);
      expect({ link, status: response.status }).toEqual({ link, status: 403 });
      expectNoTrace({ text: await response.text() });
    }
  });

  test('do not work when their time is over, or the image is gone', async () => {
    const { url } = await links();
    const { pathname } = new URL(url, api.url);
    const secret = await loadOrCreateSecret(api.dataFolder);
    const old = new UrlSigner({ secret, now: () => Date.now() - 24 * 3_600_000 });
    const current = new UrlSigner({ secret });

    expect((await api.fetch(old.sign({ path: pathname }))).status).toBe(403);
    expect((await api.fetch(current.sign({ path: '/images/x' }))).status).toBe(404);
    expect((await api.fetch(current.sign({ path: pathname }))).status).toBe(200);
  });
});
