import { describe, expect, test } from '@jest/globals';
import type { Locator, Page } from 'playwright-core';
import { findChromium } from '../support/browser.ts';
import { overflow, usePages } from './pages.ts';
import { plan } from './stand-in-job-list.ts';

const hasBrowser = findChromium() !== null;
if (!hasBrowser) console.warn('Skipped: generations in a browser. No Chromium; set CHROMIUM_PATH.');

(hasBrowser ? describe : describe.skip)('the page of generations', () => {
  const pages = usePages();

  test('it lists generations with what is known of each', async () => {
    const page = await pages.enter('CURATOR', '/generations?c=demo');

    await generation(page, 1).getByText('Live', { exact: true }).waitFor();
    await generation(page, 1).getByText('dinov2-base, 768 dimensions').waitFor();
    await generation(page, 1).getByText('lock-a@1').waitFor();
    await generation(page, 3).getByText('✗ Failed').first().waitFor();
    await generation(page, 3).getByText('recall 0.71, under 0.95').waitFor();
    await generation(page, 3).getByRole('link', { name: 'Reindex' }).click();

    await page.getByRole('article', { name: 'Reindex: demo' }).waitFor();
    expect(new URL(page.url()).pathname).toBe('/jobs/checks');
  });

  test('one that is being built shows how far it is, and is left alone', async () => {
    const page = await pages.enter('ADMIN', '/generations');
    await generation(page, 5).getByText('running, 30 of 120').waitFor();

    pages.server.jobs.change('building', { done: 90 });

    await generation(page, 5).getByText('running, 90 of 120').waitFor();
    expect(await generation(page, 5).getByRole('button').count()).toBe(0);
  });

  test('promoting asks first and says what will happen', async () => {
    const page = await pages.enter('ADMIN', '/generations');
    await generation(page, 4).getByRole('button', { name: 'Promote' }).click();
    const dialog = page.getByRole('dialog', { name: 'Make generation 4 live?' });
    await dialog.getByText('with the text model lock-b@1').waitFor();
    await dialog.getByText('Generation 1 is retired and kept').waitFor();
    await dialog.getByText('Generation 2, which was kept').waitFor();
    expect(pages.server.generations.calls).toEqual([]);

    await dialog.getByRole('button', { name: 'Yes, promote' }).click();

    await generation(page, 4).getByText('Live', { exact: true }).waitFor();
    await generation(page, 1).getByText('Retired', { exact: true }).first().waitFor();
    expect(pages.server.generations.calls).toEqual(['promote g4']);
  });

  test('rolling back asks first', async () => {
    const page = await pages.enter('ADMIN', '/generations');
    await generation(page, 2).getByRole('button', { name: 'Roll back to this' }).click();
    const dialog = page.getByRole('dialog', { name: 'Go back to generation 2?' });

    await dialog.getByRole('button', { name: 'Yes, roll back to this' }).click();

    await generation(page, 2).getByText('Live', { exact: true }).waitFor();
    expect(pages.server.generations.calls).toEqual(['roll back demo']);
  });

  test('discarding asks first, and can be thought better of', async () => {
    const page = await pages.enter('ADMIN', '/generations');
    const discard = generation(page, 3).getByRole('button', { name: 'Discard' });
    const dialog = page.getByRole('dialog', { name: 'Give generation 3 up?' });

    await discard.click();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });
    expect(pages.server.generations.calls).toEqual([]);
    await discard.click();
    await dialog.getByRole('button', { name: 'Yes, discard' }).click();

    await generation(page, 3).getByText('Discarded', { exact: true }).first().waitFor();
    expect(pages.server.generations.calls).toEqual(['discard g3']);
  });

  test('what the API refuses is said at the generation', async () => {
    pages.server.generations.refuseNext = 'Generation 4 is being discarded.';
    const page = await pages.enter('ADMIN', '/generations');
    await generation(page, 4).getByRole('button', { name: 'Promote' }).click();

    await page.getByRole('button', { name: 'Yes, promote' }).click();

    const alert = generation(page, 4).getByRole('alert');
    await alert.getByText('Generation 4 is being discarded.').waitFor();
  });

  test('a reindex shows its plan before it is started', async () => {
    const page = await pages.enter('ADMIN', '/generations');
    const form = page.getByRole('form', { name: 'Start a reindex' });
    const spaces = form.getByLabel('Vision space').getByRole('option');
    await form.waitFor();
    expect(await spaces.allInnerTexts()).toEqual([
      'dinov2-base, 768 dimensions',
      'dinov3-large, 1024 dimensions',
      'eva-large, 1024 dimensions',
    ]);
    expect(await form.getByLabel('Vision space').inputValue()).toBe('space-d');
    await form.getByText('A new generation is built').waitFor();

    await form.getByLabel('Vision space').selectOption('space-b');
    await form.getByText('its vectors are replaced one by one').waitFor();
    await form.getByLabel(/Queries that must work/).fill('a parrot\n\n a bridge \na parrot');
    await form.getByRole('button', { name: 'Show the plan' }).click();
    await form.getByText('Planning…').waitFor();
    pages.server.jobs.change('reindex-1', { plan: plan({ toEmbed: 112, reused: 7 }) });
    await form.getByText('112').waitFor();
    await form.getByRole('button', { name: 'Start the reindex' }).click();
    await form.getByText('Started.').waitFor();
    pages.server.generations.add('reindex-2');
    pages.server.jobs.change('reindex-2', { state: 'RUNNING', done: 3 });
    await generation(page, 6).getByText('running, 3 of 119').waitFor();

    const canaries = [{ text: 'a parrot' }, { text: 'a bridge' }];
    const wish = { collection: 'demo', visionSpace: 'space-b', scope: 'ALL' };
    expect(pages.server.generations.reindexes).toMatchObject([
      { ...wish, canaries, dryRun: true },
      { ...wish, canaries, dryRun: false },
    ]);
    await form.getByRole('link', { name: 'See the job' }).click();
    await page.getByRole('article', { name: 'Reindex: demo' }).waitFor();
  });

  test('two generations are compared, side by side', async () => {
    const page = await pages.enter('CURATOR', '/generations');
    await compare(page, 'windmill\nquarterly tax return');

    const answer = page.getByRole('region', { name: 'windmill' });
    await answer.getByText('7 of 10 the same').waitFor();
    const left = answer.getByRole('group', { name: 'Generation 1 (Live): dinov2-base' });
    const right = answer.getByRole('group', { name: 'Generation 4 (Ready): dinov3-large' });
    for (const side of [left, right]) {
      expect(await side.getByRole('img').count()).toBe(10);
      expect(await side.getByText('only here').count()).toBe(3);
    }
    await page
      .getByRole('region', { name: 'quarterly tax return' })
      .getByText('nothing found on either side')
      .waitFor();
  });

  test("one side's error leaves the other as it is", async () => {
    const page = await pages.enter('CURATOR', '/generations');
    await page.getByLabel('Right').selectOption('g2');
    await compare(page, 'windmill');

    const answer = page.getByRole('region', { name: 'windmill' });
    await answer.getByText('can’t be compared').waitFor();
    const right = answer.getByRole('group', { name: 'Generation 2 (Retired): siglip-old' });
    expect(await right.getByRole('alert').innerText()).toContain('MODEL_MISMATCH');
    const left = answer.getByRole('group', { name: 'Generation 1 (Live): dinov2-base' });
    expect(await left.getByRole('img').count()).toBe(10);
    expect(await left.getByText('only here').count()).toBe(0);
  });

  test('curators compare, and see no other buttons', async () => {
    const page = await pages.enter('CURATOR', '/generations');
    await generation(page, 1).waitFor();

    expect(await page.getByRole('main').getByRole('button').allInnerTexts()).toEqual(['Compare']);
  });

  test('readers are told what they need', async () => {
    const page = await pages.enter('READER', '/generations');

    await page.getByText('Generations are for curators and administrators').waitFor();
  });

  test('it fits a window of 400', async () => {
    const page = await pages.enter('ADMIN', '/generations', {
      viewport: { width: 400, height: 800 },
    });
    await compare(page, 'windmill');
    await page.getByText('7 of 10 the same').waitFor();

    expect(await overflow(page)).toBeLessThanOrEqual(0);
  });
});

function generation(page: Page, number: number): Locator {
  return page.getByRole('article', { name: `Generation ${number}` });
}

async function compare(page: Page, queries: string): Promise<void> {
  const form = page.getByRole('form', { name: 'Compare generations' });
  await form.getByLabel(/Queries, one a line/).fill(queries);
  await form.getByRole('button', { name: 'Compare' }).click();
}
