import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Locator, Page } from 'playwright-core';
import { findChromium, launchBrowser, openPage, type OpenPage } from '../support/browser.ts';
import { rootPath } from '../support/bundles.ts';
import { useEmptyDatabase } from '../support/database.ts';
import { startServer, type RunningServer } from '../support/server.ts';

const PANDA = rootPath('samples/photos/images/panda.jpg');
const hasBrowser = findChromium() !== null;
if (!hasBrowser) {
  console.warn('Skipped: the server in a browser. No Chromium; set CHROMIUM_PATH.');
}

/** What is tested in parts elsewhere, once as a whole: server, indexer, model, database and page, by keyboard alone. */
(hasBrowser ? describe : describe.skip)('a newcomer with a keyboard', () => {
  let dataFolder: string;
  let server: RunningServer;
  let browser: Browser;
  let visit: OpenPage;
  let page: Page;

  beforeAll(async () => {
    dataFolder = await mkdtemp(join(tmpdir(), 'sharelock-end-to-end-'));
    server = await startServer({ dataFolder, databaseUrl: await useEmptyDatabase() });
    browser = await launchBrowser();
    visit = await openPage(browser, server.url);
    page = visit.page;
  });

  afterAll(async () => {
    await browser.close();
    expect(await server.stop()).toBe(0);
    await rm(dataFolder, { recursive: true });
  });

  test('comes in by the printed link and sees the demo collection', async () => {
    await page.goto(server.signInLink);

    await page.getByText('40 of 119 images in demo').waitFor();
  });

  test('types "a parrot" and sees the macaw first', async () => {
    await page.keyboard.type('a parrot'); // the cursor is in the search box
    await page.keyboard.press('Enter');

    await page.getByText('for “a parrot”').waitFor();
    expect(await altOfFirst(page)).toBe('samples/scarlet-macaw.jpg');
  });

  test('opens it, asks for more like it, and goes back to the results', async () => {
    await tabTo(page, images(page).first().getByRole('link').first());
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog', { name: 'samples/scarlet-macaw.jpg' });
    await dialog.getByText('640 × 496').waitFor();
    await tabTo(page, dialog.getByRole('link', { name: 'More like this' }));
    await page.keyboard.press('Enter');
    await page.getByText('most similar first').waitFor();
    expect(await altOfFirst(page)).not.toContain('macaw');

    await page.goBack(); // a browser's own key
    await dialog.waitFor();
    await page.keyboard.press('Escape');

    await dialog.waitFor({ state: 'detached' });
    expect(await altOfFirst(page)).toBe('samples/scarlet-macaw.jpg');
  });

  test('adds a photo and finds it by what it shows', async () => {
    const chooser = page.waitForEvent('filechooser');
    await page.keyboard.press('/'); // into the search box; the button comes after it
    await tabTo(page, page.getByRole('button', { name: 'Add images' }));
    await page.keyboard.press('Enter');
    const buffer = await readFile(PANDA);
    await (await chooser).setFiles({ name: 'holiday.jpg', mimeType: 'image/jpeg', buffer });
    await page.getByText('Images added to demo').waitFor();

    await page.keyboard.press('/');
    await page.keyboard.press('ControlOrMeta+a');
    await page.keyboard.type('a panda');
    await page.keyboard.press('Enter');

    await page.getByText('for “a panda”').waitFor();
    const pictures = images(page).getByRole('img');
    const firstTwo = [0, 1].map((i) => pictures.nth(i).getAttribute('alt'));
    expect(await Promise.all(firstTwo)).toContainEqual(
      expect.stringMatching(/^uploads\/.*holiday\.jpg$/),
    );
  });

  test('had no complaint of the browser, nor the server any', () => {
    expect(visit.complaints).toEqual([]);
    expect(server.output()).not.toMatch(/"level":(50|60)|rror/);
  });
});

function images(page: Page): Locator {
  return page.getByRole('list', { name: 'Images' }).getByRole('listitem');
}

function altOfFirst(page: Page): Promise<string | null> {
  return images(page).first().getByRole('img').getAttribute('alt');
}

async function tabTo(page: Page, target: Locator): Promise<void> {
  await target.waitFor();
  const focused = target.and(page.locator(':focus'));
  for (let i = 0; i < 40 && (await focused.count()) === 0; i++) await page.keyboard.press('Tab');
  expect(await focused.count()).toBe(1);
}
