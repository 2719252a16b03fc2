import { ApolloServer } from '@apollo/server';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import express from 'express';
import { buildSchema, type GraphQLFormattedError } from 'graphql';
import { formatError, type FormatErrorOptions } from '../../../api/format-error.ts';
import { CostLimiter } from '../../../api/limits/cost-limiter.ts';
import { createCostPlugin, type LimitedContext } from '../../../api/limits/cost-plugin.ts';
import { createDocumentGuard } from '../../../api/limits/document-guard.ts';
import { limitsForSubscription } from '../../../api/limits/subscription-limits.ts';
import { Closers } from '../../../platform/closers.ts';
import { serving } from '../../support/serving.ts';

const TYPES = `
  type Query { item: Item collection(first: Int = 10): ItemConnection }
  type Subscription { item: Item }
  type Item { name: String item: Item }
  type ItemConnection { edges: [Item!]! }`;
const schema = buildSchema(TYPES);
const options: FormatErrorOptions = {
  logger: { info: () => undefined, warn: () => undefined, error: () => undefined },
  isProduction: true,
};

const DEEP = `{ ${'item { '.repeat(20)} name ${'} '.repeat(20)} }`;
const BIG = '{ collection(first: 1000) { edges { name } } }';
const MEDIUM = '{ collection(first: 60) { edges { name } } }';

const closers = new Closers();
let limiter: CostLimiter;
let clock = 0;
beforeEach(() => {
  clock = 0;
  limiter = new CostLimiter({ capacity: 100, refillPerSecond: 10, now: () => clock });
});
afterEach(() => closers.close());

describe('over HTTP', () => {
  test('an answer says what it cost and what is left', async () => {
    const { body } = await ask('{ item { name } }');

    expect(body.extensions).toEqual({
      cost: { requested: 1, limit: 100, remaining: 99, resetSeconds: 1 },
    });
    expect(body.errors).toBeUndefined();
  });

  test('a query above the capacity is a bad request, and uses nothing', async () => {
    const { status, body } = await ask(BIG);

    expect(status).toBe(400);
    expect(body.errors?.[0]?.extensions).toEqual({ code: 'COST_EXCEEDED', retryable: false });
    expect(body.extensions).toMatchObject({ cost: { requested: 1005, remaining: 100 } });
  });

  test('a key that has used up its allowance is told when to come back', async () => {
    await ask(MEDIUM);

    const { status, body, retryAfter } = await ask(MEDIUM);

    expect(status).toBe(429);
    expect(retryAfter).toBe('3');
    expect(body.errors?.[0]?.extensions).toEqual({
      code: 'RATE_LIMITED',
      retryable: true,
      retryAfterSeconds: 3,
    });
    clock += 3_000;
    expect((await ask(MEDIUM)).status).toBe(200);
  });

  test('keys do not use up each other', async () => {
    await ask(MEDIUM, 'a');

    expect((await ask(MEDIUM, 'b')).status).toBe(200);
  });

  test('a document out of proportion is a bad request', async () => {
    const { status, body } = await ask(DEEP);

    expect(status).toBe(400);
    expect(body.errors?.[0]?.extensions).toMatchObject({ code: 'COST_EXCEEDED' });
  });

  test("Apollo's own errors keep their codes", async () => {
    expect((await ask('{ nothing }')).body.errors?.[0]?.extensions).toMatchObject({
      code: 'GRAPHQL_VALIDATION_FAILED',
    });
    expect((await ask('{')).body.errors?.[0]?.extensions).toMatchObject({
      code: 'GRAPHQL_PARSE_FAILED',
    });
  });
});

describe('before Apollo', () => {
  test('a hostile document is refused with a GraphQL answer', async () => {
    const url = await guarded();

    for (const query of [DEEP, '{a'.repeat(40_000), `{ ${'item '.repeat(5_000)} }`]) {
      const response = await post(url, { query });

      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({
        errors: [{ extensions: { code: 'COST_EXCEEDED', retryable: false } }],
      });
    }
  });

  test('a hostile document in the address is refused too', async () => {
    const response = await fetch(`${await guarded()}?query=${encodeURIComponent(DEEP)}`);

    expect(response.status).toBe(400);
  });

  test('neither body nor address hides the other', async () => {
    const url = await guarded();

    expect(
      (await post(`${url}?query=${encodeURIComponent(DEEP)}`, { query: '{ a }' })).status,
    ).toBe(400);
    expect((await post(`${url}?query={a}`, { query: DEEP })).status).toBe(400);
  });

  test('variables out of proportion are refused', async () => {
    const value = JSON.parse(`${'['.repeat(500)}${']'.repeat(500)}`) as unknown;

    expect((await post(await guarded(), { query: '{ a }', variables: { value } })).status).toBe(
      400,
    );
  });

  test('everything else is passed on, also what is no document', async () => {
    const url = await guarded();

    for (const body of [{ query: '{ item { name } }' }, { query: '{' }, {}, [], { query: 7 }]) {
      expect(await (await post(url, body)).text()).toBe('passed');
    }
    expect(await (await fetch(url)).text()).toBe('passed');
  });
});

describe('over a WebSocket', () => {
  const limits = (query: string, variables: Record<string, unknown> = {}) =>
    limitsForSubscription({
      ...{ schema, limiter, limitKey: 'a', ...options },
      payload: { query, variables },
    })?.map(({ extensions }) => extensions);

  test('an operation within the limits goes through and is charged', () => {
    expect(limits('subscription { item { name } }')).toBeUndefined();
    expect(limiter.take('a', 0).remaining).toBe(99);
  });

  test('the same limits have the same codes', () => {
    expect(limits(DEEP)).toEqual([{ code: 'COST_EXCEEDED', retryable: false }]);
    expect(limits('{a'.repeat(100_000))).toEqual([{ code: 'COST_EXCEEDED', retryable: false }]);
    expect(limits(BIG)).toEqual([{ code: 'COST_EXCEEDED', retryable: false }]);
    expect(limits(MEDIUM)).toBeUndefined();
    expect(limits(MEDIUM)).toEqual([
      { code: 'RATE_LIMITED', retryable: true, retryAfterSeconds: 3 },
    ]);
  });

  test('mistakes have the codes that Apollo gives them', () => {
    expect(limits('{')).toEqual([{ code: 'GRAPHQL_PARSE_FAILED' }]);
    expect(limits('{ nothing }')).toEqual([{ code: 'GRAPHQL_VALIDATION_FAILED' }]);
  });
});

interface Answer {
  readonly errors?: readonly GraphQLFormattedError[];
  readonly extensions?: unknown;
}

async function ask(query: string, limitKey = 'a') {
  const server = new ApolloServer<LimitedContext>({
    typeDefs: TYPES,
    plugins: [createCostPlugin({ limiter })],
    formatError: (formatted, error) => formatError(formatted, error, options),
    includeStacktraceInErrorResponses: true,
  });
  closers.add(() => server.stop());
  const { body, http } = await server.executeOperation({ query }, { contextValue: { limitKey } });
  if (body.kind !== 'single') throw new Error('One answer was expected.');
  const answer = body.singleResult as unknown as Answer;
  return { status: http.status ?? 200, retryAfter: http.headers.get('retry-after'), body: answer };
}

async function guarded(): Promise<string> {
  const url = await serving(express.json(), createDocumentGuard(options), (_request, response) => {
    response.send('passed');
  });
  return `${url}/graphql`;
}

function post(url: string, body: unknown): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
}
