import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Locator, Page } from 'playwright-core';
import { findChromium } from '../support/browser.ts';
import { tagTheDemo, useDemoSite } from './demo-site.ts';

const hasBrowser = findChromium() !== null;
if (!hasBrowser) console.warn('Skipped: the tags of an image in a browser. No Chromium.');

(hasBrowser ? describe : describe.skip)('the tags of an image', () => {
  const site = useDemoSite();

  beforeAll(async () => {
    await tagTheDemo(site);
  });

  async function openFirst(page: Page): Promise<Locator> {
    await page.getByRole('list', { name: 'Images' }).getByRole('link').first().click();
    const tags = page.getByRole('dialog').getByRole('region', { name: 'Tags' });
    await tags.waitFor();
    return tags;
  }

  test('what a run found is accepted, and then says so', async () => {
    const page = await site.enter('/?c=demo&tag=bridge');
    const tags = await openFirst(page);
    const bridge = tags.getByRole('listitem').filter({ hasText: 'bridge' });
    await bridge.getByText(/creatures, by a run.*\d+ %/).waitFor();

    await bridge.getByRole('button', { name: 'Accept bridge' }).click();

    await bridge.getByText('accepted').waitFor();
  });

  test('what a run found is rejected, and goes', async () => {
    const page = await site.enter('/?c=demo&tag=lighthouse');
    const tags = await openFirst(page);

    await tags.getByRole('button', { name: 'Reject lighthouse' }).click();

    await tags.getByRole('link', { name: 'lighthouse' }).waitFor({ state: 'detached' });
  });

  test('a tag is typed, finds its image, and is removed', async () => {
    const page = await site.enter('/?c=demo&q=a+parrot');
    let tags = await openFirst(page);
    await tags.getByLabel('Tag to add').fill('holiday 2019');
    await page.keyboard.press('Enter');
    await tags.getByRole('link', { name: 'holiday 2019' }).click();
    await page.getByText('1 image in demo, tagged holiday 2019').waitFor();

    tags = await openFirst(page);
    await tags.getByText(/keywords, by hand/).waitFor();
    await tags.getByRole('button', { name: 'Remove holiday 2019' }).click();

    await tags.getByRole('link', { name: 'holiday 2019' }).waitFor({ state: 'detached' });
  });

  test('readers see tags, and no buttons', async () => {
    const page = await site.enterAs('READER', '/?c=demo&tag=bridge');
    const tags = await openFirst(page);

    await tags.getByRole('link', { name: 'bridge' }).waitFor();
    expect(await tags.getByRole('button').count()).toBe(0);
  });
});
