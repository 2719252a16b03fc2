import { beforeAll, describe, expect, test } from '@jest/globals';
import { findChromium } from '../support/browser.ts';
import { CREATURES, tagTheDemo, useDemoSite } from './demo-site.ts';
import { overflow } from './pages.ts';

const hasBrowser = findChromium() !== null;
if (!hasBrowser) console.warn('Skipped: tagging in a browser. No Chromium.');

(hasBrowser ? describe : describe.skip)('the page of tagging', () => {
  const site = useDemoSite();
  const path = `/tagging?c=demo&vocabulary=${CREATURES}`;

  beforeAll(async () => {
    await tagTheDemo(site);
  });

  test('a preview says what a run would do, and shows it', async () => {
    const page = await site.enter(path);
    await page.getByLabel('Probability from which on').fill('0.3');

    await page.getByRole('button', { name: 'Preview' }).click();

    const preview = page.getByRole('region', { name: 'Preview' });
    await preview.getByText(/tags for \d+ of 119 images; \d+ without any/).waitFor();
    await preview.getByRole('button', { name: /^bird/ }).click();
    await preview
      .getByRole('list', { name: 'Most probable: bird' })
      .getByRole('img')
      .first()
      .waitFor();
    expect(await site.ask(RUN_COUNT)).toEqual({ tagRuns: { totalCount: 1 } });
  });

  test('what can’t be asked for is said at once', async () => {
    const page = await site.enter(path);

    await page.getByLabel('At least, even when none is probable').fill('9');

    await page.getByText('“At least” is a whole number from 0 to 5.').waitFor();
    expect(
      await page.getByRole('button', { name: 'Start tagging' }).getAttribute('aria-disabled'),
    ).toBe('true');
  });

  test('a run is started, followed until it is applied, and takes the place of the one before', async () => {
    const page = await site.enter(path);
    const runs = page.getByRole('list', { name: 'Runs' }).getByRole('article');
    await runs.first().getByText('Applied', { exact: true }).first().waitFor();
    const before = await runs.count();

    await page.getByRole('button', { name: 'Start tagging' }).click();

    await runs.nth(before).getByText('Superseded', { exact: true }).waitFor();
    await runs.first().getByRole('link', { name: 'Review' }).waitFor();
    await runs
      .first()
      .getByText(/\d+ of 119 tagged/)
      .waitFor();
  });

  test('a run is reverted after a question, and what it superseded shows again', async () => {
    await tagTheDemo(site);
    const page = await site.enter(path);
    const runs = page.getByRole('list', { name: 'Runs' }).getByRole('article');
    await runs.nth(1).getByText('Superseded', { exact: true }).waitFor();

    await runs.first().getByRole('button', { name: 'Revert' }).click();
    const dialog = page.getByRole('dialog', { name: 'Take this run’s tags back?' });
    await dialog.getByRole('button', { name: 'Yes, revert' }).click();

    await runs.first().locator('.state', { hasText: 'Reverted' }).waitFor();
    await runs.nth(1).getByRole('link', { name: 'Review' }).waitFor();
  });

  test('a run’s labels are listed with their counts', async () => {
    const page = await site.enter(path);

    await page.getByRole('button', { name: 'Labels' }).last().click();

    const labels = page.getByRole('list', { name: 'Labels of the run' }).getByRole('listitem');
    await labels.first().waitFor();
    expect(await labels.first().innerText()).toMatch(/^\w+\s+\d+$/);
  });

  test('readers see the runs, and are told what they need to start one', async () => {
    const page = await site.enterAs('READER', path);

    await page.getByText('To tag images or take tags back, sign in').waitFor();
    await page.getByRole('list', { name: 'Runs' }).getByRole('article').first().waitFor();
    expect(await page.getByRole('button', { name: /Start|Revert|Preview/ }).count()).toBe(0);
  });

  test('it fits a window of 400', async () => {
    const page = await site.enter(path, { viewport: { width: 400, height: 800 } });
    await page.getByRole('button', { name: 'Preview' }).click();
    await page.getByRole('region', { name: 'Preview' }).waitFor();

    expect(await overflow(page)).toBeLessThanOrEqual(0);
  });
});

const RUN_COUNT = '{ tagRuns(collection: "demo") { totalCount } }';
