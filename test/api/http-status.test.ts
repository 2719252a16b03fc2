import { ApolloServer } from '@apollo/server';
import { expect, test } from '@jest/globals';
import { withHttpStatus } from '../../api/http-status.ts';
import { RateLimitedError } from '../../api/limits/cost-limiter.ts';
import { PlatformError } from '../../platform/errors.ts';

async function answerTo(error: unknown) {
  const server = new ApolloServer({
    typeDefs: 'type Query { a: Int }',
    plugins: [
      {
        requestDidStart: () =>
          Promise.resolve({ didResolveOperation: () => Promise.reject(withHttpStatus(error)) }),
      },
    ],
  });
  const { http } = await server.executeOperation({ query: '{ a }' });
  await server.stop();
  return http;
}

test.each([
  [new PlatformError('UNAUTHENTICATED', 'Give a key.'), 401],
  [new PlatformError('FORBIDDEN', 'Ask an ADMIN.'), 403],
  [new PlatformError('COST_EXCEEDED', 'Ask for less.'), 400],
  [new PlatformError('INDEX_UNAVAILABLE', 'Wait.'), 503],
  [new Error('a bug'), 500],
])('%s refuses a request with %s', async (error, status) => {
  expect((await answerTo(error)).status).toBe(status);
});

test('who must wait is told how long, and who needs a key is told which kind', async () => {
  expect((await answerTo(new RateLimitedError(10, 7))).headers.get('retry-after')).toBe('7');
  const { headers } = await answerTo(new PlatformError('UNAUTHENTICATED', 'Give a key.'));
  expect(headers.get('www-authenticate')).toBe('Bearer');
});
