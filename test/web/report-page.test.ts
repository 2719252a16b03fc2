import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { findChromium } from '../support/browser.ts';
import { CREATURES, tagTheDemo, useDemoSite } from './demo-site.ts';
import { overflow } from './pages.ts';

const hasBrowser = findChromium() !== null;
if (!hasBrowser) console.warn('Skipped: the report in a browser. No Chromium.');

(hasBrowser ? describe : describe.skip)('the page of the report', () => {
  const site = useDemoSite();
  const path = `/report?c=demo&vocabulary=${CREATURES}`;

  beforeAll(async () => {
    await tagTheDemo(site);
    await reviewAFew();
  });

  /** All that the sample holds of birds: those with one in their name show one. */
  async function reviewAFew(): Promise<void> {
    const { reviewQueue } = await site.ask(QUEUE);
    const { edges } = reviewQueue as { edges: readonly { node: QueueItem }[] };
    const verdicts = edges.map(({ node: { image, label, vocabulary, isSampled } }) => {
      const verdict = /macaw|owl|bird|parrot|toucan|flamingo/.test(image.path)
        ? 'ACCEPT'
        : 'REJECT';
      return { imageId: image.id, label, vocabulary, isSampled, verdict };
    });
    await site.ask(REVIEW, { input: { verdicts } });
  }

  test('it says how far tags can be trusted, all together and by label', async () => {
    const page = await site.enter(path);

    await page.getByText(`${CREATURES}, version 1`).waitFor();
    await page.getByRole('img', { name: 'Reliability of all labels' }).waitFor();
    const bird = page.getByRole('row').filter({ hasText: 'bird' });
    expect(await bird.innerText()).toMatch(/\d+ %\s+\d+ % to [>\s\d]+ %/);
    const cat = page.getByRole('row').filter({ hasText: 'cat' });
    await cat.getByText('not measured').first().waitFor();
  });

  test('a label shows its plot, and leads to its review', async () => {
    const page = await site.enter(path);

    await page.getByRole('button', { name: 'bird' }).click();
    await page.getByRole('img', { name: 'Reliability of bird' }).waitFor();
    await page.getByRole('link', { name: 'Review doubtful ones' }).click();

    await page.waitForURL(`**/review?c=demo&vocabulary=${CREATURES}&label=bird&order=UNCERTAIN`);
  });

  test('it is saved as a table', async () => {
    const page = await site.enter(path);
    const saved = page.waitForEvent('download');

    await page.getByRole('button', { name: 'Download as CSV' }).click();

    const file = await saved;
    expect(file.suggestedFilename()).toBe(`demo-${CREATURES}.csv`);
    expect(await readFile(await file.path(), 'utf8')).toMatch(/^label,.*\r\n/);
  });

  test('where nothing is tagged it says so', async () => {
    site.expectComplaints(/400|404/);
    const page = await site.enter('/report?c=demo&vocabulary=keywords');

    await page.getByText('There is nothing to report yet').waitFor();
    await page.getByRole('link', { name: 'Tag images' }).waitFor();
  });

  test('readers read it, without the ways to review', async () => {
    const page = await site.enterAs('READER', path);

    await page.getByRole('button', { name: 'bird' }).click();
    await page.getByRole('link', { name: 'See its pictures' }).waitFor();
    expect(await page.getByRole('link', { name: /Review|Measure/ }).count()).toBe(0);
  });

  test('it fits a window of 400', async () => {
    const page = await site.enter(path, { viewport: { width: 400, height: 800 } });
    await page.getByRole('button', { name: 'bird' }).click();

    expect(await overflow(page)).toBeLessThanOrEqual(0);
  });
});

interface QueueItem {
  readonly image: { readonly id: string; readonly path: string };
  readonly vocabulary: string;
  readonly label: string;
  readonly isSampled: boolean;
}

const QUEUE = `{ reviewQueue(collection: "demo", vocabulary: "${CREATURES}", label: "bird", order: SAMPLED, first: 100) {
  edges { node { image { id path } vocabulary label isSampled } } } }`;
const REVIEW =
  'mutation ($input: ReviewTagsInput!) { reviewTags(input: $input) { userErrors { code message } } }';
