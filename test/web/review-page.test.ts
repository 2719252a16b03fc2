import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Locator, Page } from 'playwright-core';
import { findChromium } from '../support/browser.ts';
import { CREATURES, tagTheDemo, useDemoSite } from './demo-site.ts';
import { overflow } from './pages.ts';

const hasBrowser = findChromium() !== null;
if (!hasBrowser) console.warn('Skipped: reviews in a browser. No Chromium.');

(hasBrowser ? describe : describe.skip)('the page of reviews', () => {
  const site = useDemoSite();
  const path = `/review?c=demo&vocabulary=${CREATURES}`;

  beforeAll(async () => {
    await tagTheDemo(site);
  });

  async function said(): Promise<{ accepted: number; rejected: number }> {
    const { tagReport } = await site.ask(
      `{ tagReport(collection: "demo", vocabulary: "${CREATURES}") { labels { accepted rejected } } }`,
    );
    const { labels } = tagReport as { labels: { accepted: number; rejected: number }[] };
    return labels.reduce((sum, label) => ({
      accepted: sum.accepted + label.accepted,
      rejected: sum.rejected + label.rejected,
    }));
  }

  test('keys accept and reject one tag after the other, and the API hears of it', async () => {
    const before = await said();
    const page = await site.enter(path);
    await focused(page).waitFor();

    await page.keyboard.press('a');
    await page.keyboard.press('r');
    await page.keyboard.press('s');

    await page.getByText('2 reviewed here').waitFor();
    expect(await decisions(page)).toEqual(['ACCEPT', 'REJECT', 'SKIP']);
    await page.getByText('All saved').waitFor();
    const after = await said();
    // A label that is accepted takes those above it along.
    expect(after.accepted).toBeGreaterThan(before.accepted);
    expect(after.rejected).toBeGreaterThan(before.rejected);
  });

  test('undo takes the last one back, there and at the API', async () => {
    const page = await site.enter(path);
    await focused(page).waitFor();
    const before = await said();
    await page.keyboard.press('a');
    await page.getByText('Saving…').waitFor();
    await page.getByText('All saved').waitFor();
    expect(await said()).not.toEqual(before);

    await page.keyboard.press('ControlOrMeta+z');

    await page.getByText('0 reviewed here').waitFor();
    await page.getByText('All saved').waitFor();
    expect(await said()).toEqual(before);
  });

  test('several are marked along the way and decided with one key', async () => {
    const page = await site.enter(path);
    await focused(page).waitFor();

    await page.keyboard.press('Shift+ArrowRight');
    await page.keyboard.press('Shift+ArrowRight');
    await page.getByText('3 pictures marked').waitFor();
    await page.keyboard.press('a');

    await page.getByText('3 reviewed here').waitFor();
    expect(await decisions(page)).toEqual(['ACCEPT', 'ACCEPT', 'ACCEPT']);
    await page.getByText('All saved').waitFor();
  });

  test('a picture is looked at closer, and decided there', async () => {
    const page = await site.enter(path);
    await focused(page).waitFor();

    await page.keyboard.press('Enter');
    const large = page.getByRole('dialog');
    await large.waitFor();
    const first = await large.getAttribute('aria-label');
    await page.keyboard.press('r');
    await page.getByText('1 reviewed here').waitFor();
    expect(await large.getAttribute('aria-label')).not.toBe(first);
    await page.keyboard.press('Escape');

    await large.waitFor({ state: 'detached' });
    await page.getByText('All saved').waitFor();
  });

  test('while the API is away verdicts wait, and then they go', async () => {
    site.expectComplaints(/ERR_INTERNET_DISCONNECTED/);
    const page = await site.enter(path);
    await focused(page).waitFor();

    await page.context().setOffline(true);
    await page.keyboard.press('a');
    await page.getByText('1 verdict not saved yet').waitFor();
    await page.context().setOffline(false);

    await page.getByText('All saved').waitFor();
  });

  test('a label and an order are chosen, and the address says so', async () => {
    const page = await site.enter(path);
    await page.getByLabel('Label', { exact: true }).selectOption('bird');
    await page.getByText('Does it show: bird?').waitFor();
    await page.getByLabel('Order').selectOption('Most probable first');

    await page.waitForURL(`**/review?c=demo&vocabulary=${CREATURES}&label=bird&order=BEST`);
    await tiles(page).first().waitFor();
  });

  test('mice and fingers do the same by buttons', async () => {
    const page = await site.enter(path);
    await tiles(page).nth(1).click();

    await page.getByRole('button', { name: '✗ Reject' }).click();

    await page.getByText('1 reviewed here').waitFor();
    expect(await tiles(page).nth(1).getAttribute('data-decision')).toBe('REJECT');
    await page.getByText('All saved').waitFor();
  });

  test('readers are told what they need', async () => {
    const page = await site.enterAs('READER', path);

    await page.getByText('Reviews are for curators and administrators').waitFor();
  });

  test('it fits a window of 400', async () => {
    const page = await site.enter(path, { viewport: { width: 400, height: 800 } });
    await tiles(page).first().waitFor();

    expect(await overflow(page)).toBeLessThanOrEqual(0);
  });
});

function tiles(page: Page): Locator {
  return page.getByRole('listbox', { name: 'Tags to review' }).getByRole('option');
}

function focused(page: Page): Locator {
  return tiles(page).and(page.locator(':focus'));
}

/** In the board's order, of those that are decided. */
async function decisions(page: Page): Promise<readonly (string | null)[]> {
  const decided = await page.locator('[data-decision]').all();
  return Promise.all(decided.map((tile) => tile.getAttribute('data-decision')));
}
