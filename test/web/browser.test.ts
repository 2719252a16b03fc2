import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { findChromium, launchBrowser, openPage, type OpenPage } from '../support/browser.ts';
import { buildPages, overflow } from './pages.ts';
import { startPictureServer, type PictureServer } from './picture-server.ts';

const ROOT = join(import.meta.dirname, '../..');
const PARROT = join(ROOT, 'samples/photos/images/scarlet-macaw.jpg');
const hasBrowser = findChromium() !== null;
if (!hasBrowser) {
  console.warn('Skipped: the page in a browser. No Chromium; set CHROMIUM_PATH.');
}

(hasBrowser ? describe : describe.skip)('the page in a browser', () => {
  let folder: string;
  let browser: Browser;
  let server: PictureServer;
  let opened: OpenPage[] = [];
  let expectedComplaints: RegExp[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sharelock-web-'));
    await buildPages(folder);
    browser = await launchBrowser();
    server = await startPictureServer(folder);
  });

  afterEach(async () => {
    const complaints = opened.flatMap((page) => page.complaints);
    await Promise.all(opened.map((page) => page.close()));
    opened = [];
    const unexpected = complaints.filter((it) => !expectedComplaints.some((re) => re.test(it)));
    expectedComplaints = [];
    expect(unexpected).toEqual([]);
  });

  afterAll(async () => {
    await browser.close();
    await server.close();
    await rm(folder, { recursive: true });
  });

  /** A page of somebody who isn't signed in. */
  async function visit(path: string, options?: BrowserContextOptions): Promise<Page> {
    const page = await openPage(browser, server.url, options);
    opened.push(page);
    await page.page.goto(path);
    return page.page;
  }

  /** A page of somebody who came by a sign-in link. */
  async function enter(path: string, options?: BrowserContextOptions): Promise<Page> {
    const page = await visit(`/sign-in#token=${server.makeToken()}`, options);
    await images(page).first().waitFor();
    if (path !== '/') await page.goto(path);
    return page;
  }

  test('a collection opens with its images, and the cursor in the search box', async () => {
    const page = await enter('/');

    expect(await status(page)).toBe('40 of 119 images in demo');
    expect(await images(page).count()).toBe(40);
    expect(await isFocused(searchBox(page))).toBe(true);
  });

  test('a text and Enter find pictures, ranked, with their cosines and how they were found', async () => {
    const page = await enter('/');

    await search(page, 'a scarlet macaw');

    await page.getByText('40 images so far for “a scarlet macaw”').waitFor();
    const first = images(page).first();
    expect(await first.getByRole('img').getAttribute('alt')).toBe(
      'photos/images/scarlet-macaw.jpg',
    );
    expect(await first.innerText()).toMatch(/1\s*cos 0\.39/);
    await page.getByText('EXACT, 4 ms').waitFor();
    expect(new URL(page.url()).search).toBe('?c=demo&q=a+scarlet+macaw');
    expect(await page.title()).toBe('a scarlet macaw in demo · ShareLock Search');
  });

  test('an image is opened, leafed through and closed by keyboard alone', async () => {
    const page = await enter('/');
    await page.getByRole('button', { name: 'Sign out' }).focus();
    await page.keyboard.press('/');
    await page.keyboard.type('windmill');
    await page.keyboard.press('Enter');
    await page.getByText('for “windmill”').waitFor();

    await tabTo(page, images(page).nth(1).getByRole('link').first());
    await page.keyboard.press('Enter');
    const second = page.getByRole('dialog', { name: 'photos/images/windmill-1.jpg' });
    await second.getByRole('heading', { name: 'windmill-1.jpg' }).waitFor();
    await page.keyboard.press('ArrowRight');
    await page.getByRole('dialog', { name: 'photos/images/windmill-12.jpg' }).waitFor();
    await page.keyboard.press('Escape');

    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(new URL(page.url()).pathname).toBe('/');
    expect(await isFocused(images(page).nth(2).getByRole('link').first())).toBe(true);
  });

  test('the focus stays in an opened image', async () => {
    const page = await enter('/?c=demo&q=windmill');
    await images(page).first().getByRole('link').first().click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('link', { name: 'Original file' }).waitFor();

    for (let i = 0; i < 12; i++) {
      await page.keyboard.press('Tab');
      const isOutside = await page.evaluate(
        'document.activeElement !== document.body && !document.activeElement.closest("dialog")',
      );
      expect(isOutside).toBe(false);
    }
  });

  test('an image tells where it comes from, and what it may be', async () => {
    const page = await enter('/image/p1?c=demo');
    const dialog = page.getByRole('dialog', { name: 'photos/images/orange-reef-fish-shoal.jpg' });
    await dialog.getByText('320 × 240').waitFor();
    await dialog.getByText('Canon EOS 80D').waitFor();
    await dialog.getByText('4 May 2019, 10:30').waitFor();

    await dialog.getByLabel('Labels, separated by commas').fill('a fish, a cat,, a fish, a boat');
    await page.keyboard.press('Enter');

    await dialog.getByText('33 %').first().waitFor();
    const shares = dialog.getByRole('list').getByRole('listitem');
    expect(await shares.allInnerTexts()).toEqual([
      expect.stringMatching(/^a fish\s+33 %/),
      expect.stringMatching(/^a cat\s+33 %/),
      expect.stringMatching(/^a boat\s+33 %/),
    ]);
  });

  test('closing an image that came by its address leads to the collection', async () => {
    const page = await enter('/image/p1');
    await page.getByRole('dialog').getByRole('link', { name: 'Original file' }).waitFor();

    await page.getByRole('button', { name: 'Close' }).click();

    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(new URL(page.url()).pathname).toBe('/');
  });

  test('more like a picture are found, from the grid and from the opened image', async () => {
    const page = await enter('/?c=demo&q=scarlet');

    await page.getByRole('link', { name: 'More like scarlet-macaw.jpg' }).click();
    await page.getByText('Like scarlet-macaw.jpg').waitFor();
    await page.getByText('40 images so far, most similar first').waitFor();
    const titles = await images(page).getByRole('img').all();
    expect(await titles[0]?.getAttribute('alt')).not.toContain('macaw');
    await images(page).first().getByRole('link').first().click();
    await page.getByRole('dialog').getByRole('link', { name: 'More like this' }).click();

    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.getByText('Like angelfish.jpg').waitFor();
  });

  test('scrolling loads more, until there is none, and so does the button', async () => {
    const page = await enter('/?c=demo&q=windmill');
    await images(page).first().waitFor();

    await page.getByRole('button', { name: 'Load more' }).focus();
    await page.keyboard.press('Enter');
    // Where focusing it had loaded a page already, Enter loads the next.
    await page.getByText(/80 images so far|119 images for/).waitFor();
    await page.evaluate('window.scrollTo(0, document.body.scrollHeight)');
    await page.getByText('119 images for “windmill”').waitFor();

    expect(await images(page).count()).toBe(119);
    expect(await page.getByRole('button', { name: 'Load more' }).count()).toBe(0);
  });

  test('a ranking that is gone is made anew', async () => {
    const page = await enter('/?c=demo&q=windmill');
    await images(page).first().waitFor();
    server.failNext('CURSOR_EXPIRED');

    await page.getByRole('button', { name: 'Load more' }).focus();
    await page.getByText('The collection has changed since this search.').waitFor();
    expect(await images(page).count()).toBe(40);
    await page.getByRole('button', { name: 'Search again' }).press('Enter');
    await page.getByRole('alert').waitFor({ state: 'detached' });

    await page.getByText('80 images so far').waitFor();
  });

  test('back and forward show what was there, without searching again', async () => {
    const page = await enter('/');
    await search(page, 'windmill');
    await page.getByText('for “windmill”').waitFor();
    await search(page, 'bridge');
    await page.getByText('for “bridge”').waitFor();
    const searches = server.searches.length;

    await page.goBack();
    await page.getByText('for “windmill”').waitFor();
    expect(await searchBox(page).inputValue()).toBe('windmill');
    await page.goForward();
    await page.getByText('for “bridge”').waitFor();

    expect(server.searches).toHaveLength(searches);
  });

  test('the place in a long grid is kept while an image is open', async () => {
    const page = await enter('/?c=demo&q=windmill');
    await images(page).first().waitFor();
    await images(page).nth(30).getByRole('link').first().focus();
    const before = await page.evaluate('window.scrollY');

    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await page.goBack();
    await page.getByRole('dialog').waitFor({ state: 'detached' });

    expect(before).toBeGreaterThan(0);
    expect(await page.evaluate('window.scrollY')).toBe(before);
  });

  test('an old answer never takes the place of a newer one', async () => {
    const page = await enter('/');
    const release = server.hold('igloo');

    await search(page, 'igloo');
    await search(page, 'koala');
    await page.getByText('for “koala”').waitFor();
    release();
    await page.getByText('EXACT').waitFor();

    expect(await images(page).first().getByRole('img').getAttribute('alt')).toContain('koala');
  });

  test('what no picture shows gets an answer in words', async () => {
    const page = await enter('/?c=demo&q=quarterly+tax+return');

    await page.getByRole('heading', { name: 'No picture for “quarterly tax return”' }).waitFor();
    expect(await status(page)).toBe('No images for “quarterly tax return”');
  });

  test('an empty collection says how to fill it', async () => {
    const page = await enter('/');

    await page.getByLabel('Collection', { exact: true }).selectOption('empty');

    await page.getByText('bin/sharelock index FOLDER --collection empty').waitFor();
  });

  test('an error shows its message and code, and can be tried again', async () => {
    const page = await enter('/');
    server.failNext('INDEX_UNAVAILABLE');

    await search(page, 'panda');
    const alert = page.getByRole('alert');
    await alert.getByText('Not now, the index says.').waitFor();
    expect(await alert.innerText()).toContain('INDEX_UNAVAILABLE');
    await alert.getByRole('button', { name: 'Try again' }).click();

    await page.getByText('for “panda”').waitFor();
  });

  test('being offline is said, and searching goes on when the network is back', async () => {
    expectedComplaints = [/ERR_INTERNET_DISCONNECTED/];
    const page = await enter('/');
    await page.context().setOffline(true);
    await page.getByText('You are offline. What you see may be old.').waitFor();

    await search(page, 'moose');
    await page.getByRole('heading', { name: 'You are offline' }).waitFor();
    await page.context().setOffline(false);

    await page.getByText('for “moose”').waitFor();
  });

  test('who is not signed in gets to the sign-in page, and with a key to where they wanted', async () => {
    expectedComplaints = [/401/];
    const page = await visit('/?c=demo&q=cat');
    await page.waitForURL('**/sign-in?next=*');

    await page.getByLabel('API key').fill('slk_wrong');
    await page.keyboard.press('Enter');
    await page.getByText('This key isn’t in force.').waitFor();
    await page.getByLabel('API key').fill('slk_right');
    await page.keyboard.press('Enter');

    await page.getByText('for “cat”').waitFor();
    expect(page.url()).toBe(`${server.url}/?c=demo&q=cat`);
  });

  test('a link signs in once, and leaves no token in the history', async () => {
    expectedComplaints = [/401/];
    const link = `/sign-in#token=${server.makeToken()}`;
    const first = await visit(link);
    await images(first).first().waitFor();
    expect(first.url()).toBe(`${server.url}/`);

    const second = await visit(link);

    await second.getByText('This sign-in link was used already or is too old.').waitFor();
    expect(second.url()).toBe(`${server.url}/sign-in`);
  });

  test('signing out ends the session', async () => {
    expectedComplaints = [/401/];
    const page = await enter('/');

    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.waitForURL('**/sign-in');
    await page.goto('/');

    await page.waitForURL('**/sign-in');
  });

  test('images are added; those that can not be read are named with the reason', async () => {
    const page = await enter('/');

    await page.getByLabel('Image files to add').setInputFiles([
      { name: 'parrot.jpg', mimeType: 'image/jpeg', buffer: await readFile(PARROT) },
      { name: 'notes.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('no image') },
    ]);

    const panel = page.getByRole('complementary', { name: 'Upload' });
    await panel.getByText('Images added to demo').waitFor();
    expect(await panel.getByText('sent').innerText()).toBe('2 sent, 1 done, 1 failed');
    expect(await panel.getByRole('listitem').allInnerTexts()).toEqual([
      'uploads/notes.jpg No image of an allowed format.',
    ]);
    await page.getByText('40 of 120 images in demo').waitFor();
  });

  test('its landmarks and controls have names', async () => {
    const page = await enter('/?c=demo&q=windmill');
    await images(page).first().waitFor();

    for (const role of ['banner', 'search', 'main'] as const) {
      expect(await page.getByRole(role).count()).toBe(1);
    }
    expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe('windmill in demo');
    expect(await page.getByRole('combobox', { name: 'Collection' }).count()).toBe(1);
    expect(await page.getByRole('searchbox', { name: 'Describe a picture' }).count()).toBe(1);
    for (const role of ['button', 'link', 'img', 'combobox', 'searchbox'] as const) {
      const all = page.getByRole(role);
      expect(await all.count()).toBe(await page.getByRole(role, { name: /\S/ }).count());
    }
  });

  test.each([375, 768, 1920])('nothing is wider than a window of %d', async (width) => {
    const size = { viewport: { width, height: 800 } };
    const page = await enter('/?c=demo&q=windmill', size);
    await images(page).first().waitFor();
    expect(await overflow(page)).toBeLessThanOrEqual(0);

    await images(page).first().getByRole('link').first().click();
    await page.getByRole('dialog').getByRole('link', { name: 'Original file' }).waitFor();

    expect(await overflow(page)).toBeLessThanOrEqual(0);
  });

  test('pictures that load move nothing', async () => {
    const page = await enter('/?c=demo&q=windmill');
    await images(page).first().waitFor();
    await page.evaluate('window.scrollTo(0, 600)');
    await page.waitForLoadState('networkidle');

    const shift = await page.evaluate(`new Promise((resolve) => {
      new PerformanceObserver((list) => {
        resolve(list.getEntries().reduce((sum, { value }) => sum + value, 0));
      }).observe({ type: 'layout-shift', buffered: true });
      setTimeout(() => resolve(0), 100);
    })`);

    expect(shift).toBeLessThan(0.05);
  });
});

function images(page: Page): Locator {
  return page.getByRole('list', { name: 'Images' }).getByRole('listitem');
}

function searchBox(page: Page): Locator {
  return page.getByRole('searchbox', { name: 'Describe a picture' });
}

async function search(page: Page, text: string): Promise<void> {
  await searchBox(page).fill(text);
  await searchBox(page).press('Enter');
}

/** What is announced of the results. */
function status(page: Page): Promise<string> {
  return page.getByRole('main').getByRole('status').innerText();
}

async function tabTo(page: Page, target: Locator): Promise<void> {
  for (let i = 0; i < 20 && !(await isFocused(target)); i++) await page.keyboard.press('Tab');
  expect(await isFocused(target)).toBe(true);
}

async function isFocused(target: Locator): Promise<boolean> {
  return (await target.and(target.page().locator(':focus')).count()) === 1;
}
