import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { rootPath } from '../support/bundles.ts';
import { sharelock } from '../support/command-line.ts';
import { useEmptyDatabase } from '../support/database.ts';

const ANSWER = z.object({ data: z.record(z.string(), z.unknown()) });
const URL_LINE = /"url":"(http[^"]+)"/;

/** API and indexer as docker-compose.yml starts them: two processes that share a database and a data folder, nothing else. */
describe('the services of docker-compose.yml', () => {
  let dataFolder: string;
  let environment: Readonly<Record<string, string>>;
  let services: Service[] = [];

  beforeAll(async () => {
    dataFolder = await mkdtemp(join(tmpdir(), 'sharelock-services-'));
    environment = {
      ...{ NODE_ENV: 'production', HOST: '127.0.0.1', PORT: '0', LOG_LEVEL: 'info' },
      ...{ DATA_DIR: dataFolder, DATABASE_URL: await useEmptyDatabase() },
      MEDIA_ROOTS: rootPath('samples/photos'),
    };
  });

  afterAll(async () => {
    await Promise.all(services.map((service) => service.stop()));
    await rm(dataFolder, { recursive: true });
  });

  test('index what the API is told to, find it, and stop when they are asked to', async () => {
    const [apiCommand, indexerCommand] = await commandsOfCompose();
    const api = startService(apiCommand, environment);
    services = [api];
    const url = (await api.says(URL_LINE))[1] ?? '';
    const indexer = startService(indexerCommand, environment);
    services = [api, indexer];
    const created = await sharelock(['key', 'create', '--role', 'ADMIN'], { env: environment });
    const ask = asker(url, created.stdout.trim());

    await ask(
      'mutation { createCollection(input: { name: "photos" }) { userErrors { message } } }',
    );
    const folder = JSON.stringify(rootPath('samples/photos/images'));
    const source = `input: { collection: "photos", folder: ${folder} }`;
    await ask(`mutation { addSource(${source}) { userErrors { message } } }`);
    await ask('mutation { startIngest(input: { collection: "photos" }) { job { id } } }');
    const jobs = '{ jobs { edges { node { state done failed } } } }';
    let state = await ask(jobs);
    while (/PLANNED|QUEUED|RUNNING/.test(state)) {
      await pause(200);
      state = await ask(jobs);
    }
    const found = await ask(
      '{ search(input: { collection: "photos", text: "a parrot" }, first: 1) { edges { node { path } } } }',
    );

    expect(state).toContain('"state":"SUCCEEDED","done":119,"failed":0');
    expect(found).toContain('images/scarlet-macaw.jpg');
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    expect(await Promise.all(services.map((service) => service.stop()))).toEqual([0, 0]);
  });
});

interface Service {
  /** Resolves when it has written something like this. */
  says(pattern: RegExp): Promise<RegExpExecArray>;
  stop(): Promise<number | null>;
}

function startService(
  [program = '', ...args]: readonly string[],
  environment: Readonly<Record<string, string>>,
): Service {
  const child: ChildProcess = spawn(program, args, {
    ...{ cwd: rootPath('.'), env: { ...process.env, ...environment } },
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  const exit = once(child, 'exit').then(([code]) => code as number | null);
  let text = '';
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  return {
    says: async (pattern) => {
      for (;;) {
        const found = pattern.exec(text);
        if (found) return found;
        if (child.exitCode !== null) throw new Error(`It ended: ${text}`);
        await pause(50);
      }
    },
    stop: () => {
      child.kill('SIGTERM');
      return exit;
    },
  };
}

async function commandsOfCompose(): Promise<readonly [readonly string[], readonly string[]]> {
  const text = await readFile(rootPath('docker-compose.yml'), 'utf8');
  const commands = Array.from(text.matchAll(/^ +command: (\[.*\])$/gm), ([, list = '']) =>
    z.array(z.string()).parse(JSON.parse(list.replaceAll("'", '"'))),
  );
  const [api, indexer] = commands;
  if (api === undefined || indexer === undefined) throw new Error('Two commands are expected.');
  return [api, indexer];
}

/** Gives the answer's data as JSON; fails on an error or a user error. */
function asker(url: string, key: string): (query: string) => Promise<string> {
  return async (query) => {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ query }),
    });
    const body = await response.text();
    expect(body).not.toMatch(/"errors"|"message"/);
    return JSON.stringify(ANSWER.parse(JSON.parse(body)).data);
  };
}
