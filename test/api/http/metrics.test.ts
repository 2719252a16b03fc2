import { ApolloServer } from '@apollo/server';
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Request, RequestHandler } from 'express';
import { createMetricsPlugin } from '../../../api/http/metrics-plugin.ts';
import {
  createMetricsRouter,
  createRequestMetrics,
  isLocal,
  Metrics,
  type IndexReading,
} from '../../../api/http/metrics.ts';
import { serving } from '../../support/serving.ts';

let metrics: Metrics;
let readings: readonly IndexReading[];
beforeEach(() => {
  readings = [];
  metrics = new Metrics({ readIndexes: () => readings, withProcess: false });
});

async function text(): Promise<string> {
  return (await metrics.read()).text;
}

function reading(overrides: Partial<IndexReading> = {}): IndexReading {
  return {
    ...{
      collection: 'a',
      visionSpace: 'v',
      engine: 'exact',
      indexed: 10,
      lag: 0,
      recallAt10: null,
      bytes: 100,
    },
    ...overrides,
  };
}

describe('requests', () => {
  const answer: RequestHandler = (_request, response) => {
    response.status(204).end();
  };

  test('are measured by route and status', async () => {
    const url = await serving(createRequestMetrics(metrics), answer);

    for (const path of ['/graphql', '/images/1?sig=x', '/images/2', '/']) await fetch(url + path);

    const result = await text();
    expect(result).toMatch(
      /request_seconds_count\{route="\/images\/:id",method="GET",status="204"\} 2/,
    );
    expect(result).toMatch(
      /request_seconds_count\{route="\/graphql",method="GET",status="204"\} 1/,
    );
  });

  test('make one series of whatever is not served, however many are invented', async () => {
    const url = await serving(createRequestMetrics(metrics), answer);
    for (let i = 0; i < 50; i++)
      await fetch(`${url}/guess-${i}`, { method: i % 2 ? 'PUT' : 'DELETE' });

    expect((await text()).match(/request_seconds_count/g)).toHaveLength(1);
  });
});

describe('operations', () => {
  async function run(...queries: readonly string[]): Promise<string> {
    const server = new ApolloServer({
      typeDefs: 'type Query { a: Int b: Int }',
      plugins: [createMetricsPlugin(metrics)],
    });
    for (const query of queries) await server.executeOperation({ query });
    await server.stop();
    return text();
  }

  test('are measured by type and root field, never by names of the caller', async () => {
    const result = await run(
      'query Secret { hidden: a }',
      '{ a b }',
      '{ ...F } fragment F on Query { a }',
    );

    expect(result).toMatch(/operation_seconds_count\{type="query",field="a",outcome="ok"\} 1/);
    expect(result).toMatch(
      /operation_seconds_count\{type="query",field="several",outcome="ok"\} 1/,
    );
    expect(result).toMatch(
      /operation_seconds_count\{type="query",field="fragment",outcome="ok"\} 1/,
    );
    expect(result).not.toMatch(/Secret|hidden/);
  });

  test('that are refused count their code', async () => {
    expect(await run('{ nothing }', '{')).toMatch(
      /errors_total\{code="GRAPHQL_VALIDATION_FAILED"\} 1[^]*errors_total\{code="GRAPHQL_PARSE_FAILED"\} 1/,
    );
    metrics.countError({ not: 'a code' });
    metrics.countError('anything <goes>');
    expect(await text()).toMatch(/errors_total\{code="other"\} 2/);
  });
});

test('stages of searches and costs are measured', async () => {
  metrics.observeSearchStage('encode', 0.006);
  metrics.observeCost(130);

  expect(await text()).toMatch(/search_stage_seconds_sum\{stage="encode"\} 0.006/);
  expect(await text()).toMatch(/graphql_cost_sum 130/);
});

describe('indexes', () => {
  test('are read at each scrape, and forgotten when they are gone', async () => {
    readings = [reading({ indexed: 7, lag: 3, recallAt10: 0.995 }), reading({ collection: 'b' })];
    const before = await text();
    readings = [reading({ collection: 'b' })];
    const after = await text();

    expect(before).toMatch(/index_vectors\{collection="a",vision_space="v",engine="exact"\} 7/);
    expect(before).toMatch(/index_lag_changes\{collection="a",vision_space="v",engine="exact"\} 3/);
    expect(before).toMatch(
      /index_recall_at_10\{collection="a",vision_space="v",engine="exact"\} 0.995/,
    );
    expect(before).not.toMatch(/index_recall_at_10\{collection="b"/);
    expect(after).not.toMatch(/collection="a"/);
  });

  test('are at most a hundred, the largest', async () => {
    readings = Array.from({ length: 300 }, (_, i) => reading({ collection: `c${i}`, indexed: i }));

    const result = await text();

    expect(result.match(/index_vectors\{/g)).toHaveLength(100);
    expect(result).toContain('collection="c299"');
  });
});

describe('/metrics', () => {
  test('is for those who are allowed', async () => {
    const url = await serving(createMetricsRouter({ metrics, isAllowed: isLocal }));

    const allowed = await fetch(`${url}/metrics`);
    const forwarded = await fetch(`${url}/metrics`, {
      headers: { 'X-Forwarded-For': '127.0.0.1' },
    });

    expect(allowed.status).toBe(200);
    expect(allowed.headers.get('content-type')).toContain('text/plain');
    expect(await allowed.text()).toContain('# TYPE sharelock_index_vectors gauge');
    expect(forwarded.status).toBe(403);
    expect(await forwarded.json()).toMatchObject({ code: 'FORBIDDEN' });
  });

  test('tells of the process too, unless told not to', async () => {
    const whole = new Metrics({ readIndexes: () => [] });

    expect((await whole.read()).text).toContain('process_cpu_seconds_total');
    expect(await text()).not.toContain('process_cpu_seconds_total');
  });
});

test.each([
  ['127.0.0.1', true],
  ['127.8.9.1', true],
  ['::1', true],
  ['::ffff:127.0.0.1', true],
  ['10.0.0.1', false],
  ['::ffff:10.0.0.1', false],
  ['', false],
])('%s is this machine: %s', (remoteAddress, expected) => {
  const request = { socket: { remoteAddress }, headers: {} } as unknown as Request;

  expect(isLocal(request)).toBe(expected);
});
