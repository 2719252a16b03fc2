import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect } from '@jest/globals';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { launchBrowser, openPage, type OpenPage } from '../support/browser.ts';
import { useEmptyDatabase } from '../support/database.ts';
import { startServer, type RunningServer } from '../support/server.ts';
import { until } from '../support/until.ts';

type Json = Readonly<Record<string, unknown>>;

/** The real server over the sample photos, with the real model, for the tests of one `describe`. */
export interface DemoSite {
  /** As the administrator that the printed link lets in. */
  readonly enter: (path: string, options?: BrowserContextOptions) => Promise<Page>;
  /** As somebody of this role. */
  readonly enterAs: (role: 'READER' | 'CURATOR', path: string) => Promise<Page>;
  /** Asks the API as the administrator; throws for errors and `userErrors`. */
  readonly ask: (query: string, variables?: Json) => Promise<Json>;
  /** Complaints of the browser that are none in this test. */
  readonly expectComplaints: (...patterns: RegExp[]) => void;
}

export const CREATURES = 'creatures';

export function useDemoSite(): DemoSite {
  let dataFolder = '';
  let server: RunningServer;
  let browser: Browser;
  let cookies: Awaited<ReturnType<ReturnType<Page['context']>['cookies']>> = [];
  let opened: OpenPage[] = [];
  let expected: readonly RegExp[] = [];

  beforeAll(async () => {
    dataFolder = await mkdtemp(join(tmpdir(), 'sharelock-demo-site-'));
    server = await startServer({ dataFolder, databaseUrl: await useEmptyDatabase() });
    browser = await launchBrowser();
    const visit = await openPage(browser, server.url);
    const { page } = visit;
    await page.goto(server.signInLink); // good for one browser
    await page.getByText('of 119 images in demo').waitFor();
    cookies = await page.context().cookies();
    await visit.close();
  }, 120_000);

  afterEach(async () => {
    const complaints = opened.flatMap((page) => page.complaints);
    await Promise.all(opened.map((page) => page.close()));
    const unexpected = complaints.filter((it) => !expected.some((pattern) => pattern.test(it)));
    [opened, expected] = [[], []];
    expect(unexpected).toEqual([]);
  });

  afterAll(async () => {
    await browser.close();
    expect(await server.stop()).toBe(0);
    await rm(dataFolder, { recursive: true });
  });

  async function open(options?: BrowserContextOptions): Promise<Page> {
    const visit = await openPage(browser, server.url, options);
    opened.push(visit);
    return visit.page;
  }

  async function ask(query: string, variables: Json = {}): Promise<Json> {
    const response = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'apollo-require-preflight': 'true',
        cookie: cookies.map(({ name, value }) => `${name}=${value}`).join('; '),
      },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = (await response.json()) as { data: Json | null; errors?: unknown };
    if (errors !== undefined || data === null) throw new Error(JSON.stringify(errors));
    const refusal = Object.values(data).find(hasUserErrors);
    if (refusal !== undefined) throw new Error(JSON.stringify(refusal));
    return data;
  }

  return {
    ask,
    enter: async (path, options) => {
      const page = await open(options);
      await page.context().addCookies(cookies);
      await page.goto(path);
      return page;
    },
    enterAs: async (role, path) => {
      const { createApiKey } = await ask(CREATE_KEY, { input: { name: role, role } });
      const { secret } = createApiKey as { secret: string };
      const page = await open();
      await page.goto('/sign-in');
      await page.getByLabel('API key').fill(secret);
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByText('of 119 images in demo').waitFor();
      await page.goto(path);
      return page;
    },
    expectComplaints: (...patterns) => {
      expected = patterns;
    },
  };
}

/** A small vocabulary, and a run with it over the demo collection that is applied. */
export async function tagTheDemo({ ask }: DemoSite): Promise<void> {
  const labels = ['animal', 'dog', 'cat', 'bird', 'bridge', 'flower', 'lighthouse'].map((name) => ({
    name,
    parents: ['dog', 'cat', 'bird'].includes(name) ? ['animal'] : [],
  }));
  await ask(PUT, { input: { name: CREATURES, description: 'For tests', labels } });
  const input = { collection: 'demo', vocabulary: CREATURES, minProbability: 0.3 };
  const { startTagRun } = await ask(START, { input });
  const { id } = (startTagRun as { job: { id: string } }).job;
  await until('the tag run is done', async () => {
    const { job } = await ask('query ($id: ID!) { job(id: $id) { state } }', { id });
    const { state } = job as { state: string };
    if (state === 'FAILED') throw new Error('The tag run did not end well.');
    return state === 'SUCCEEDED';
  });
}

function hasUserErrors(payload: unknown): boolean {
  if (typeof payload !== 'object' || payload === null || !('userErrors' in payload)) return false;
  return Array.isArray(payload.userErrors) && payload.userErrors.length > 0;
}

const USER_ERRORS = 'userErrors { code message }';
const CREATE_KEY = `mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret ${USER_ERRORS} } }`;
const PUT = `mutation ($input: PutVocabularyInput!) { putVocabulary(input: $input) { changed ${USER_ERRORS} } }`;
const START = `mutation ($input: TagRunInput!) { startTagRun(input: $input) { job { id } ${USER_ERRORS} } }`;
