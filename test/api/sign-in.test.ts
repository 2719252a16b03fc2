import { beforeAll, describe, expect, test } from '@jest/globals';
import { createSignInToken } from '../../store/sign-in-tokens.ts';
import { answerOf, useApi, type TestApi } from '../support/api.ts';

let api: TestApi;

beforeAll(async () => {
  api = await useApi();
});

const HOUR_MS = 3_600_000;

function newToken(expiresInMs = HOUR_MS): Promise<string> {
  const now = new Date();
  const expiresAt = new Date(now.getTime() + expiresInMs);
  return createSignInToken(api.services.database.prisma, { role: 'ADMIN', expiresAt, now });
}

function signIn(body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return api.fetch('/sign-in', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
}

/** The cookie as a browser sends it back. */
function cookieOf(response: Response): string {
  return (response.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
}

async function signedIn(): Promise<string> {
  return cookieOf(await signIn({ token: await newToken() }));
}

const viewer = (headers: Record<string, string>) =>
  api.query('{ viewer { role keyName } }', { key: null, headers });

describe('a sign-in link', () => {
  test('works once and gives a cookie that scripts and other sites do not get', async () => {
    const token = await newToken();

    const first = await signIn({ token });
    const second = await signIn({ token });

    expect(first.status).toBe(204);
    const attributes = (first.headers.get('set-cookie') ?? '').split('; ').slice(1);
    expect(attributes).toEqual(expect.arrayContaining(['HttpOnly', 'SameSite=Strict', 'Path=/']));
    expect(second.status).toBe(401);
    expect(second.headers.get('set-cookie')).toBe(null);
    expect(await second.json()).toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  test('used twice at the same time works for one', async () => {
    const token = await newToken();

    const statuses = (await Promise.all([1, 2, 3].map(() => signIn({ token })))).map(
      ({ status }) => status,
    );

    expect(statuses.sort()).toEqual([204, 401, 401]);
  });

  test('that is too old does not work', async () => {
    expect((await signIn({ token: await newToken(-1000) })).status).toBe(401);
  });

  test.each([
    [{ token: 'x' }, 401],
    [{ apiKey: 'x' }, 401],
    [{ token: '' }, 400],
    [{ token: 'x', apiKey: 'y' }, 400],
    [{}, 400],
    [[], 400],
    [{ token: 7 }, 400],
    [{ token: 'x'.repeat(5000) }, 413],
  ])('of another form does not work (%#)', async (body, status) => {
    const response = await signIn(body);

    expect(response.status).toBe(status);
    expect(await response.text()).not.toMatch(/\n\s+at |node_modules/);
  });

  test('does not work from the page of another site', async () => {
    const response = await signIn(
      { token: await newToken() },
      { origin: 'https://elsewhere.example' },
    );

    expect(response.status).toBe(403);
  });
});

describe('the cookie', () => {
  test('stands for an ADMIN with a key of its own', async () => {
    const answer = await viewer({ cookie: await signedIn(), origin: api.url });

    expect(answer.data).toEqual({ viewer: { role: 'ADMIN', keyName: '(browser session)' } });
  });

  test.each(['https://elsewhere.example', 'null', 'http://127.0.0.1:1'])(
    'counts for nothing in a request of the page %s',
    async (origin) => {
      const answer = await viewer({ cookie: await signedIn(), origin });

      expect(answer).toMatchObject({ status: 401, codes: ['UNAUTHENTICATED'] });
    },
  );

  test('ends with signing out, everywhere', async () => {
    const cookie = await signedIn();

    const out = await api.fetch('/sign-out', { method: 'POST', headers: { cookie } });

    expect(out.status).toBe(204);
    expect(out.headers.get('set-cookie')).toMatch(/Max-Age=0/);
    expect((await viewer({ cookie })).status).toBe(401);
  });

  test('of a pasted key is that key, and signing out leaves it in force', async () => {
    const key = await api.keyFor('READER');
    const cookie = cookieOf(await signIn({ apiKey: key }));
    expect((await viewer({ cookie })).data).toMatchObject({ viewer: { role: 'READER' } });

    await api.fetch('/sign-out', { method: 'POST', headers: { cookie } });

    expect((await api.query('{ viewer { role } }', { key })).status).toBe(200);
  });

  test('can not sign out from the page of another site', async () => {
    const cookie = await signedIn();
    const headers = { cookie, origin: 'https://elsewhere.example' };

    const out = await api.fetch('/sign-out', { method: 'POST', headers });

    expect(out.status).toBe(403);
    expect((await viewer({ cookie })).status).toBe(200);
  });

  test('is passed over where a key stands beside it', async () => {
    const headers = { cookie: await signedIn(), authorization: 'Bearer nothing' };

    expect((await viewer(headers)).status).toBe(401);
  });
});

test('a form of another site can not use the cookie through a simple request', async () => {
  const response = await api.fetch('/graphql', {
    method: 'POST',
    headers: { cookie: await signedIn(), 'content-type': 'text/plain' },
    body: JSON.stringify({ query: '{ viewer { role } }' }),
  });

  expect((await answerOf(response)).status).toBe(400);
});
