import { describe, expect, test } from '@jest/globals';
import type { Locator, Page } from 'playwright-core';
import { findChromium } from '../support/browser.ts';
import { overflow, usePages } from './pages.ts';
import { plan, standInJob } from './stand-in-job-list.ts';

const hasBrowser = findChromium() !== null;
if (!hasBrowser) console.warn('Skipped: jobs in a browser. No Chromium; set CHROMIUM_PATH.');

(hasBrowser ? describe : describe.skip)('the page of jobs', () => {
  const pages = usePages();

  test('it lists jobs, newest first, with what is known of each', async () => {
    const page = await pages.enter('ADMIN', '/jobs');

    const running = card(page, 'Take in images: demo').first();
    await running.getByText('50 of 200: 40 done, 2 failed, 8 skipped').waitFor();
    await running.getByText('12 per second, 12 s left').waitFor();
    await running.getByText('by slk_abcdefghijkl').waitFor();
    await running.getByText('Plan: 220 files, 200 to read').waitFor();
    const bar = running.getByRole('progressbar', { name: 'Items with an outcome' });
    expect(await bar.getAttribute('aria-valuenow')).toBe('50');
    await page.getByText('8 of 8 jobs, newest first').waitFor();
    await page.getByText('There is no space left on the disk.').waitFor();
    await page.getByText('Dry run', { exact: true }).waitFor();
  });

  test('progress moves by itself, up to the end', async () => {
    const page = await pages.enter('CURATOR', '/jobs');
    const running = card(page, 'Take in images: demo').first();
    await running.getByText('50 of 200').waitFor();

    pages.server.jobs.change('running', { done: 120, etaSeconds: 4 });
    await running.getByText('130 of 200: 120 done, 2 failed, 8 skipped').waitFor();
    pages.server.jobs.change('running', { state: 'SUCCEEDED', done: 190 });

    await running.getByText('Done', { exact: true }).waitFor();
    await running.getByText('200 of 200: 190 done').waitFor();
  });

  test('progress moves where no WebSocket comes through', async () => {
    pages.expectComplaints(/WebSocket/);
    pages.server.takesSockets = false;
    const page = await pages.enter('CURATOR', '/jobs');
    const running = card(page, 'Take in images: demo').first();
    await running.getByText('50 of 200').waitFor();

    pages.server.jobs.change('running', { done: 90 });

    await running.getByText('100 of 200: 90 done').waitFor();
  });

  test('a new job appears', async () => {
    const page = await pages.enter('CURATOR', '/jobs');
    await page.getByText('8 of 8 jobs').waitFor();

    const createdAt = '2026-11-24T13:00:00.000Z';
    pages.server.jobs.add(standInJob({ id: 'new', kind: 'SNAPSHOT', createdAt }));

    await page.getByText('9 of 9 jobs').waitFor();
    await jobs(page).first().getByText('Write snapshots: demo').waitFor();
  });

  test('jobs are filtered by collection and state, and the address says so', async () => {
    const page = await pages.enter('CURATOR', '/jobs');

    await page.getByLabel('State').selectOption('Failed');
    await page.getByText('1 of 1 jobs').waitFor();
    await page.getByLabel('Collection').selectOption('empty');
    await page.getByRole('heading', { name: 'There is no such job' }).waitFor();

    expect(page.url()).toBe(`${pages.server.url}/jobs?c=empty&state=FAILED`);
  });

  test('more jobs are loaded when asked for', async () => {
    for (let i = 0; i < 20; i++) pages.server.jobs.add(standInJob({ id: `${i}`, state: 'FAILED' }));
    const page = await pages.enter('CURATOR', '/jobs');
    await page.getByText('20 of 28 jobs').waitFor();

    await page.getByRole('button', { name: 'Load more' }).click();

    await page.getByText('28 of 28 jobs').waitFor();
    expect(await jobs(page).count()).toBe(28);
  });

  test('an administrator pauses and resumes a job, by keyboard', async () => {
    const page = await pages.enter('ADMIN', '/jobs');
    const running = card(page, 'Take in images: demo').first();

    await running.getByRole('button', { name: 'Pause' }).press('Enter');
    await running.getByText('Paused', { exact: true }).waitFor();
    await page.keyboard.press('Tab'); // the focus is where the button was
    await page.keyboard.press('Enter');
    await running.getByText('Waiting', { exact: true }).waitFor();

    expect(pages.server.jobs.calls).toEqual(['pauseJob running', 'resumeJob running']);
  });

  test('cancelling asks first', async () => {
    const page = await pages.enter('ADMIN', '/jobs');
    const running = card(page, 'Take in images: demo').first();
    const dialog = page.getByRole('dialog', { name: 'Cancel this job?' });

    await running.getByRole('button', { name: 'Cancel' }).click();
    await dialog.getByText('What isn’t done is skipped').waitFor();
    await dialog.getByRole('button', { name: 'No, leave it' }).click();
    expect(pages.server.jobs.calls).toEqual([]);
    await running.getByRole('button', { name: 'Cancel' }).click();
    await dialog.getByRole('button', { name: 'Yes, cancel' }).click();

    await running.getByText('Cancelled', { exact: true }).waitFor();
    expect(pages.server.jobs.calls).toEqual(['cancelJob running']);
  });

  test('failed items are tried again', async () => {
    const page = await pages.enter('ADMIN', '/jobs/failures');

    await page.getByRole('button', { name: 'Retry failed' }).click();

    await page.getByText('Waiting', { exact: true }).waitFor();
    expect(pages.server.jobs.calls).toEqual(['retryFailedItems failures']);
  });

  test('what the API refuses is said where it was asked for', async () => {
    pages.server.jobs.refuseNext = 'This job is over already.';
    const page = await pages.enter('ADMIN', '/jobs');
    const running = card(page, 'Take in images: demo').first();

    await running.getByRole('button', { name: 'Pause' }).click();

    const alert = running.getByRole('alert');
    await alert.getByText('This job is over already.').waitFor();
    expect(await alert.innerText()).toContain('CONFLICT');
  });

  test('curators see no buttons, and not who asked', async () => {
    const page = await pages.enter('CURATOR', '/jobs');
    await page.getByText('50 of 200').waitFor();

    expect(await page.getByRole('main').getByRole('button').count()).toBe(0);
    expect(await page.getByText('by slk_').count()).toBe(0);
  });

  test('readers are told what they need, and have no way there', async () => {
    const page = await pages.enter('READER', '/jobs');

    await page.getByText('Jobs are for curators and administrators').waitFor();
    await page.getByText('a key of the role CURATOR or ADMIN').waitFor();
    const links = page.getByRole('navigation').getByRole('link');
    expect(await links.allInnerTexts()).toEqual(['Search', 'Tags']);
  });

  test('a job shows its failures with thumbnails, paged', async () => {
    const page = await pages.enter('CURATOR', '/jobs');
    await page.getByRole('link', { name: 'Take in images: demo' }).nth(1).click();
    const rows = page.getByRole('list', { name: 'Failures' }).getByRole('listitem');

    await rows.first().getByText('The file ends too early. TRUNCATED').waitFor();
    await rows.first().getByText('Tried 3 times').waitFor();
    await rows
      .first()
      .getByRole('img', { name: /^Thumbnail of photos/ })
      .waitFor();
    await page.waitForFunction('document.querySelector("img.failure-image").naturalWidth > 0');
    expect(await rows.count()).toBe(20);
    await page.getByRole('button', { name: 'Load more' }).click();

    await page.getByText('photos/notes.txt').waitFor();
    expect(await rows.count()).toBe(25);
    expect(await rows.last().getByRole('img').count()).toBe(0);
  });

  test('a job shows its result, its plan and the checks of its generation', async () => {
    const page = await pages.enter('CURATOR', '/jobs/checks');

    await page.getByText('recall 0.71, under 0.95').waitFor();
    await page.getByRole('heading', { name: 'Result' }).waitFor();
    await page.getByRole('link', { name: 'generation 3' }).click();

    await page.getByRole('heading', { name: 'Generations', level: 1 }).waitFor();
  });

  test('a check of the collection shows what it looked at', async () => {
    const page = await pages.enter('CURATOR', '/jobs/sound');

    await page.getByText('✓ Passed').waitFor();
    await page.getByText('rows Looked at images: 119.').waitFor();
    await page.getByText('Is sound').waitFor();
  });

  test('a dry run shows what it found', async () => {
    pages.server.jobs.change('dry-run', { plan: null });
    const page = await pages.enter('CURATOR', '/jobs/dry-run');
    await page.getByText('Planned', { exact: true }).waitFor();

    pages.server.jobs.change('dry-run', { plan: plan({ files: 119, toEmbed: 100, reused: 19 }) });

    await page.getByText('Dry run', { exact: true }).waitFor();
    await page.getByText('Plan: 119 files, 100 to embed, 19 reused').waitFor();
  });

  test('the header leads to it and back', async () => {
    const page = await pages.enter('CURATOR', '/?c=demo');

    await page.getByRole('link', { name: 'Jobs' }).click();
    await page.getByRole('heading', { name: 'Jobs', level: 1 }).waitFor();
    expect(await page.getByRole('link', { name: 'Jobs' }).getAttribute('aria-current')).toBe(
      'page',
    );
    await page.getByRole('link', { name: 'Search', exact: true }).click();

    await page.getByRole('searchbox').waitFor();
  });

  test.each(['/jobs', '/jobs/failures'])('%s fits a window of 400', async (path) => {
    const page = await pages.enter('ADMIN', path, { viewport: { width: 400, height: 800 } });
    await page.getByRole('article').first().waitFor();

    expect(await overflow(page)).toBeLessThanOrEqual(0);
  });
});

function jobs(page: Page): Locator {
  return page.getByRole('list', { name: 'Jobs' }).getByRole('listitem');
}

function card(page: Page, name: string): Locator {
  return page.getByRole('article', { name });
}
