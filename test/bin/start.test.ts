import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { SAMPLE_PHOTOS, temporaryFolder } from '../support/bundles.ts';
import {
  expectOneLine,
  sharelock,
  type CommandOptions,
  type CommandResult,
} from '../support/command-line.ts';
import { useEmptyDatabase } from '../support/database.ts';
import { startServer, survivorsOf, type ServerProcess } from '../support/server-process.ts';

/** Nothing set but where the data lies: an embedded Postgres, the default bundle. */
async function emptyEnvironment(): Promise<Readonly<Record<string, string>>> {
  const DATA_DIR = await temporaryFolder();
  return { DATA_DIR, DATABASE_URL: '', MODEL_BUNDLE: '', MEDIA_ROOTS: '', PORT: '', HOST: '' };
}

async function postgresPid(dataFolder: string): Promise<number> {
  return Number((await readFile(join(dataFolder, 'pg', 'postmaster.pid'), 'utf8')).split('\n')[0]);
}

async function ask(
  { url }: ServerProcess,
  key: string,
  query: string,
): Promise<{ readonly status: number; readonly body: unknown }> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  return { status: response.status, body: await response.json() };
}

test('an empty data folder becomes a server with the sample photos; stopped, it leaves no process and keeps its work', async () => {
  const env = await emptyEnvironment();
  const run = (args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> =>
    sharelock(args, { env, ...options });
  const json = async (...args: readonly string[]): Promise<unknown> =>
    JSON.parse((await run([...args, '--json'])).stdout);
  const photos = (await readdir(SAMPLE_PHOTOS)).length;

  const first = await startServer(['--port', '0'], env);

  expect(first.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  expect(first.link.startsWith(`${first.url}/sign-in#token=`)).toBe(true);
  expect((await fetch(`${first.url}/readyz`)).status).toBe(200);
  expect(await json('collections')).toMatchObject([{ name: 'demo', images: photos }]);

  // Keys made beside the running server work at once, and end at once.
  const made = (await json('key', 'create', '--role', 'curator', '--collection', 'demo')) as {
    readonly secret: string;
    readonly prefix: string;
  };
  const jobs = '{ jobs { totalCount edges { node { state failed done } } } }';
  expect(await ask(first, made.secret, jobs)).toEqual({
    status: 200,
    body: {
      data: {
        jobs: {
          ...{ totalCount: 1 },
          edges: [{ node: { state: 'SUCCEEDED', failed: 0, done: photos } }],
        },
      },
      extensions: expect.anything(),
    },
  });
  const search = await json('search', 'a koala', '--collection', 'demo', '--first', '3');
  expect(search).toMatchObject({
    path: 'EXACT',
    images: [{ rank: 1, path: 'samples/koala.jpg' }, { rank: 2 }, { rank: 3 }],
  });
  expect((await run(['key', 'revoke', made.prefix])).code).toBe(0);
  expect((await ask(first, made.secret, jobs)).status).toBe(401);
  const taken = new URL(first.url).port;
  expectOneLine(await run(['start', '--port', taken]), 1, new RegExp(`${taken}.*INVALID_CONFIG`));
  expect((await fetch(`${first.url}/healthz`)).status).toBe(200);

  const family = [...(await first.family()), await postgresPid(env['DATA_DIR'] ?? '')];
  first.process.kill('SIGINT');
  expect(await first.ended).toBe(0);
  expect(family.length).toBeGreaterThan(2);
  expect(await survivorsOf(family)).toEqual([]);
  expect(existsSync(join(env['DATA_DIR'] ?? '', 'server.json'))).toBe(false);
  expect(first.stderr()).not.toMatch(/error|warn|^\s+at /im);

  const second = await startServer(['--port', '0'], env);
  const key = (await json('key', 'create', '--role', 'ADMIN')) as { readonly secret: string };
  expect(await ask(second, key.secret, '{ jobs { totalCount } }')).toMatchObject({
    body: { data: { jobs: { totalCount: 1 } } },
  });
  const secondFamily = [...(await second.family()), await postgresPid(env['DATA_DIR'] ?? '')];
  const stopped = await run(['stop']);
  expect(stopped).toMatchObject({ code: 0, stdout: '' });
  expect(await second.ended).toBe(0);
  expect(await survivorsOf(secondFamily)).toEqual([]);
  expect(await run(['stop'])).toMatchObject({ code: 0, stderr: 'Nothing was running.\n' });
});

describe('wrong settings are told in one line, all of them:', () => {
  test.each<[string, Readonly<Record<string, string>>, readonly RegExp[]]>([
    ['a port', { PORT: 'abc' }, [/PORT/]],
    ['a port out of range', { PORT: '65536' }, [/PORT/]],
    [
      'several',
      { PORT: '-1', VECTOR_ENGINE: 'magic', COST_CAPACITY: 'much' },
      [/PORT/, /VECTOR_ENGINE/, /COST_CAPACITY/],
    ],
    ['a database', { DATABASE_URL: 'mysql://x' }, [/DATABASE_URL/]],
    ['a log level', { LOG_LEVEL: 'loud' }, [/LOG_LEVEL/]],
    ['an indexer', { INDEXER_SESSIONS: 'many' }, [/INDEXER_SESSIONS/]],
    ['a bundle', { MODEL_BUNDLE: '/nowhere' }, [/\/nowhere/]],
  ])('%s', async (_name, settings, messages) => {
    const env = { ...(await emptyEnvironment()), ...settings };

    const result = await sharelock(['start', '--port', settings['PORT'] ?? '0'], { env });

    for (const message of messages) expectOneLine(result, 1, message);
  });
});

test('a port that something else has is told in one line', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const port = String((other.address() as AddressInfo).port);
  const env = { ...(await emptyEnvironment()), DATABASE_URL: await useEmptyDatabase() };

  const result = await sharelock(['start', '--port', port], { env });
  other.close();

  expectOneLine(result, 1, new RegExp(`${port}.*\\[INVALID_CONFIG\\]`));
});

test('an address nobody has here is told in one line', async () => {
  const env = { ...(await emptyEnvironment()), DATABASE_URL: await useEmptyDatabase() };

  const result = await sharelock(['start', '--port', '0', '--host', '203.0.113.1'], { env });

  expectOneLine(result, 1, /203\.0\.113\.1.*\[INVALID_CONFIG\]/);
});
