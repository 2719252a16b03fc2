import { expect, test } from '@jest/globals';
import { createClient, type ClientOptions, type Operation } from '../../web/src/graphql/client.ts';

const GREET: Operation<{ readonly greeting: string }, { readonly name: string }> = {
  text: 'query ($name: String!) { greeting(name: $name) }',
};

test('an operation is posted as JSON, with the header that makes browsers ask first', async () => {
  const { requests, client } = clientAnswering({ data: { greeting: 'Hello' } });

  const data = await client.execute(GREET, { name: 'Ada' });

  expect(data).toEqual({ greeting: 'Hello' });
  expect(requests[0]?.url).toBe('http://host/graphql');
  expect(requests[0]?.headers.get('apollo-require-preflight')).toBe('true');
  expect(await requests[0]?.json()).toEqual({ query: GREET.text, variables: { name: 'Ada' } });
});

test('files go as the multipart request specification says', async () => {
  const { bodies, client } = clientAnswering({ data: { greeting: 'Hello' } });
  const file = new File(['bytes'], 'cat.jpg');

  await client.upload(GREET, { name: 'Ada' }, new Map([['variables.input.files.0', file]]));

  expect([...(bodies[0] as FormData).entries()]).toEqual([
    ['operations', JSON.stringify({ query: GREET.text, variables: { name: 'Ada' } })],
    ['map', '{"0":["variables.input.files.0"]}'],
    ['0', expect.objectContaining({ name: 'cat.jpg', size: 5 })],
  ]);
});

test('an error of the API keeps its code and message', async () => {
  const { client } = clientAnswering({
    data: null,
    errors: [{ message: 'Search again.', extensions: { code: 'CURSOR_EXPIRED' } }],
  });

  await expect(client.execute(GREET, { name: 'Ada' })).rejects.toMatchObject({
    name: 'ClientError',
    code: 'CURSOR_EXPIRED',
    message: 'Search again.',
  });
});

test.each([
  ['as an error', { errors: [{ message: 'Who?', extensions: { code: 'UNAUTHENTICATED' } }] }, 200],
  ['as a status', {}, 401],
])('being signed out is told to the page, %s', async (_, answer, status) => {
  let isSignedOut = false;
  const { client } = clientAnswering(answer, status, {
    onUnauthenticated: () => {
      isSignedOut = true;
    },
  });

  await expect(client.execute(GREET, { name: 'Ada' })).rejects.toMatchObject({
    code: 'UNAUTHENTICATED',
  });
  expect(isSignedOut).toBe(true);
});

test('an answer that is no GraphQL is refused', async () => {
  const client = createClient({
    endpoint: 'http://host/graphql',
    fetch: () => Promise.resolve(new Response('<h1>Bad Gateway</h1>', { status: 502 })),
  });

  await expect(client.execute(GREET, { name: 'Ada' })).rejects.toMatchObject({
    code: 'BAD_RESPONSE',
  });
});

test('a server that is not there has a code of its own', async () => {
  const client = createClient({ fetch: () => Promise.reject(new TypeError('fetch failed')) });

  await expect(client.execute(GREET, { name: 'Ada' })).rejects.toMatchObject({
    code: 'UNREACHABLE',
  });
});

test('what was aborted says so, and is no error of the server', async () => {
  const reason = new Error('not wanted any more');
  const abort = new AbortController();
  const client = createClient({
    fetch: () => Promise.reject(reason),
  });
  abort.abort(reason);

  await expect(client.execute(GREET, { name: 'Ada' }, { signal: abort.signal })).rejects.toBe(
    reason,
  );
});

function clientAnswering(
  answer: unknown,
  status = 200,
  options: ClientOptions = {},
): { requests: Request[]; bodies: unknown[]; client: ReturnType<typeof createClient> } {
  const requests: Request[] = [];
  const bodies: unknown[] = [];
  const client = createClient({
    ...options,
    endpoint: 'http://host/graphql',
    fetch: (input, init) => {
      bodies.push(init?.body);
      requests.push(new Request(input, init));
      return Promise.resolve(Response.json(answer, { status }));
    },
  });
  return { requests, bodies, client };
}
