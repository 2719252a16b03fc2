import { expect, test } from '@jest/globals';
import { ApolloServer } from '@apollo/server';
import { z } from 'zod';
import { formatError } from '../../api/format-error.ts';
import { PlatformError } from '../../platform/errors.ts';

interface LogLine {
  readonly level: string;
  readonly fields: unknown;
}

async function answerTo(error: unknown, query = '{ fail }') {
  const lines: LogLine[] = [];
  const log = (level: string) => (fields: unknown) => {
    lines.push({ level, fields });
  };
  const logger = { info: log('info'), warn: log('warn'), error: log('error') };
  const server = new ApolloServer({
    typeDefs: 'type Query { fail: String needs(value: Int!): Int broken: Int! }',
    resolvers: {
      Query: {
        fail: () => {
          throw error;
        },
        broken: () => null,
      },
    },
    includeStacktraceInErrorResponses: true,
    formatError: (formatted, thrown) =>
      formatError(formatted, thrown, { logger, isProduction: true }),
  });
  const { body } = await server.executeOperation({ query });
  await server.stop();
  if (body.kind !== 'single') throw new Error('One answer was expected.');
  return { text: JSON.stringify(body.singleResult), errors: body.singleResult.errors ?? [], lines };
}

test("a platform's error shows its message, its code and whether to try again", async () => {
  const { errors, lines } = await answerTo(
    new PlatformError('INDEX_UNAVAILABLE', 'Wait a little.'),
  );

  expect(errors).toEqual([
    {
      message: 'Wait a little.',
      locations: [{ line: 1, column: 3 }],
      path: ['fail'],
      extensions: { code: 'INDEX_UNAVAILABLE', retryable: true },
    },
  ]);
  expect(lines).toMatchObject([{ level: 'warn' }]);
});

test("the caller's mistakes are logged without alarm", async () => {
  const { lines } = await answerTo(new PlatformError('NOT_FOUND', 'No such image.'));

  expect(lines).toMatchObject([{ level: 'info' }]);
});

test.each([
  ['an error of the database', new Error('connect to postgres://root:secret@db')],
  ['an error of validation', z.object({ secret: z.string() }).safeParse({}).error],
  ['something that is no error', 'secret'],
  ["an operator's mistake", new PlatformError('INVALID_CONFIG', '/etc/secret is missing')],
])('%s is shown as nothing but a fault, and logged in full', async (_what, error) => {
  const { text, errors, lines } = await answerTo(error);

  expect(text).not.toMatch(/secret|stack/);
  expect(errors).toMatchObject([
    { message: 'Internal server error', extensions: { code: 'INTERNAL_SERVER_ERROR' } },
  ]);
  expect(lines).toMatchObject([{ level: 'error' }]);
});

test('a resolver that gives nothing where something was promised is a fault', async () => {
  const { errors } = await answerTo(null, '{ broken }');

  expect(errors).toMatchObject([{ message: 'Internal server error' }]);
});

test("GraphQL's own errors keep code and message, without a stack or names of the schema", async () => {
  const { text, errors } = await answerTo(null, '{ fall }');

  expect(errors).toMatchObject([{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }]);
  expect(text).toContain('Cannot query field');
  expect(text).not.toMatch(/Did you mean|stacktrace/);
});

test('a variable that is missing is the mistake of the caller', async () => {
  const { errors } = await answerTo(null, 'query ($v: Int!) { needs(value: $v) }');

  expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
});
