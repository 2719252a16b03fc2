import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from '@jest/globals';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { launchBrowser, openPage, type OpenPage } from '../support/browser.ts';
import { startPictureServer, type PictureServer, type Role } from './picture-server.ts';

const ROOT = join(import.meta.dirname, '../..');

export interface Pages {
  /** Its own for each test. */
  readonly server: PictureServer;
  /** A page of somebody of this role. */
  enter(role: Role, path: string, options?: BrowserContextOptions): Promise<Page>;
  /** Complaints of the browser that are none in this test. */
  expectComplaints(...patterns: RegExp[]): void;
}

/** Pages in a browser, for the tests of one `describe`; each test fails for what the browser complained about. */
export function usePages(): Pages {
  let [folder, browser]: [string, Browser | null] = ['', null];
  let server: PictureServer | null = null;
  let opened: OpenPage[] = [];
  let expected: readonly RegExp[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sharelock-web-'));
    await buildPages(folder);
    browser = await launchBrowser();
  });

  beforeEach(async () => {
    server = await startPictureServer(folder);
  });

  afterEach(async () => {
    const complaints = opened.flatMap((page) => page.complaints);
    await Promise.all(opened.map((page) => page.close()));
    await server?.close();
    const unexpected = complaints.filter((it) => !expected.some((pattern) => pattern.test(it)));
    [opened, expected] = [[], []];
    expect(unexpected).toEqual([]);
  });

  afterAll(async () => {
    await browser?.close();
    await rm(folder, { recursive: true });
  });

  const running = (): PictureServer => {
    if (server === null) throw new Error('The server runs during tests only.');
    return server;
  };
  return {
    get server() {
      return running();
    },
    enter: async (role, path, options) => {
      if (browser === null) throw new Error('The browser runs during tests only.');
      const open = await openPage(browser, running().url, options);
      opened.push(open);
      await open.page.goto(`/sign-in#token=${running().makeToken(role)}`);
      await open.page.waitForURL('/');
      await open.page.goto(path);
      return open.page;
    },
    expectComplaints: (...patterns) => {
      expected = patterns;
    },
  };
}

export async function buildPages(folder: string): Promise<void> {
  const vite = join(ROOT, 'node_modules/vite/bin/vite.js');
  const { stderr } = await promisify(execFile)(
    process.execPath,
    [vite, 'build', 'web', '--outDir', folder, '--emptyOutDir', '--logLevel', 'warn'],
    // As it is served: Jest's own NODE_ENV would make it a development build.
    { cwd: ROOT, env: { ...process.env, NODE_ENV: 'production' } },
  );
  expect(stderr).toBe('');
}

/** By how many pixels the page, or an opened image, can be scrolled sideways. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate(`Math.max(...[document.documentElement, ...document.querySelectorAll('dialog')]
    .map((element) => element.scrollWidth - element.clientWidth))`);
}
