import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { findChromium } from '../support/browser.ts';
import { useDemoSite } from './demo-site.ts';
import { overflow } from './pages.ts';

const hasBrowser = findChromium() !== null;
if (!hasBrowser) console.warn('Skipped: vocabularies in a browser. No Chromium.');

(hasBrowser ? describe : describe.skip)('the pages of vocabularies', () => {
  const site = useDemoSite();

  beforeAll(async () => {
    const labels = Array.from({ length: 250 }, (_, i) => ({ name: `thing ${i}` }));
    await put('things', labels);
  });

  async function put(name: string, labels: readonly object[]): Promise<void> {
    const query =
      'mutation ($input: PutVocabularyInput!) { putVocabulary(input: $input) { userErrors { code message } } }';
    await site.ask(query, { input: { name, labels } });
  }

  test('a vocabulary is made label by label, tried while it is written, and saved', async () => {
    const page = await site.enter('/vocabularies?c=demo');
    await page.getByLabel('Name of a new vocabulary').fill('creatures');
    await page.getByRole('button', { name: 'Make it' }).click();
    await page.getByText('saving makes it').waitFor();

    await addLabel(page, 'animal');
    await addLabel(page, 'parrot');
    const preview = page.getByRole('region', { name: 'Preview' });
    await preview.getByRole('list', { name: 'Most probable: parrot' }).waitFor();
    const best = preview.getByRole('list', { name: 'Most probable: parrot' }).getByRole('img');
    expect(await best.first().getAttribute('alt')).toContain('macaw');
    await page.getByLabel('More general labels').fill('animal');
    await page.getByLabel('Threshold').fill('0.4');
    await preview.getByText('from a probability of 0.40 on').waitFor();
    await page.getByRole('button', { name: 'Save as version 1' }).click();

    await page.getByText('Version 1, 2 labels.').waitFor();
    const { vocabulary } = await site.ask(
      '{ vocabulary(name: "creatures") { labels { edges { node { name threshold parents { name } } } } } }',
    );
    expect(JSON.stringify(vocabulary)).toContain(
      '{"name":"parrot","threshold":0.4,"parents":[{"name":"animal"}]}',
    );
  });

  test('examples are picked out of a search', async () => {
    await put('with examples', [{ name: 'parrot' }]);
    const page = await site.enter('/vocabularies/with%20examples?c=demo');
    await page.getByRole('button', { name: 'parrot' }).click();

    await page.getByRole('button', { name: 'Find', exact: true }).click();
    const found = page.getByRole('group', { name: 'Pictures for parrot' }).getByRole('button');
    await found.first().click();

    await page.getByRole('list', { name: 'Examples' }).getByRole('img').waitFor();
    await page.getByText('Not saved yet: 1 label changed.').waitFor();
    await page.getByRole('button', { name: 'Save as version 2' }).click();
    await page.getByText('Version 2, 1 label.').waitFor();
    await page.reload();
    await page.getByRole('button', { name: 'parrot' }).click();
    await page.getByRole('list', { name: 'Examples' }).getByRole('img').waitFor();
  });

  test('labels are searched and paged', async () => {
    const page = await site.enter('/vocabularies/things');
    await page.getByText('Page 1 of 3').waitFor();
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByRole('button', { name: 'thing 100', exact: true }).waitFor();

    await page.getByLabel('Find a label').fill('THING 24');

    await page.getByText('11 of 250 labels').waitFor();
    expect(await page.getByRole('row').count()).toBe(12);
  });

  test('what somebody else saved meanwhile is neither lost nor written over', async () => {
    await put('shared', [{ name: 'cat' }, { name: 'dog' }]);
    const page = await site.enter('/vocabularies/shared');
    await addLabel(page, 'mine');
    await put('shared', [{ name: 'cat' }, { name: 'dog' }, { name: 'theirs' }]);

    await page.getByRole('button', { name: 'Save as version 2' }).click();
    await page.getByText('Somebody saved version 2 while you were editing.').waitFor();
    await page.getByRole('button', { name: 'Put my changes on top of version 2' }).click();
    await page.getByRole('button', { name: 'Save as version 3' }).click();

    await page.getByText('Version 3, 4 labels.').waitFor();
    await page.getByRole('button', { name: 'theirs' }).waitFor();
    await page.getByRole('button', { name: 'mine' }).waitFor();
  });

  test('two labels of one name are refused before the API is asked', async () => {
    await put('twins', [{ name: 'cat' }, { name: 'dog' }]);
    const page = await site.enter('/vocabularies/twins');
    await page.getByRole('button', { name: 'dog' }).click();
    await page.getByLabel('Name', { exact: true }).fill('cat');

    await page.getByRole('button', { name: 'Save as version 2' }).click();

    await page.getByText('There are two labels “cat”.').waitFor();
  });

  test('a table is imported, exported and listed', async () => {
    const page = await site.enter('/vocabularies');
    const csv =
      'name,prompts,negative_prompts,examples,threshold,parents\noak,an oak tree,,,0.6,\n';
    await page.getByLabel('File with a vocabulary').setInputFiles({
      name: 'trees.csv',
      mimeType: 'text/csv',
      buffer: Buffer.from(csv),
    });
    await page.getByText('Version 1, 1 label.').waitFor();

    const saved = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Export CSV' }).click();
    const file = await saved;

    expect(file.suggestedFilename()).toBe('trees.csv');
    expect(await readFile(await file.path(), 'utf8')).toContain('oak,an oak tree');
    await page.getByRole('link', { name: 'All vocabularies' }).click();
    await page.getByRole('article').filter({ hasText: 'trees' }).waitFor();
  });

  test('readers look, and are told what they need to change anything', async () => {
    const page = await site.enterAs('READER', '/vocabularies/things');

    await page.getByText('To change vocabularies, sign in with a key').waitFor();
    await page.getByRole('rowheader', { name: 'thing 0', exact: true }).waitFor();
    expect(await page.getByRole('button', { name: 'Add label' }).count()).toBe(0);
    expect(await page.getByRole('button', { name: 'Import a file' }).count()).toBe(0);
  });

  test.each(['/vocabularies', '/vocabularies/things'])('%s fits a window of 400', async (path) => {
    const page = await site.enter(path, { viewport: { width: 400, height: 800 } });
    await page.getByText('things').first().waitFor();
    const first = page.getByRole('button', { name: 'thing 0', exact: true });
    if (path.endsWith('things')) await first.click();

    expect(await overflow(page)).toBeLessThanOrEqual(0);
  });
});

async function addLabel(page: Page, name: string): Promise<void> {
  await page.getByLabel('Name of a new label').fill(name);
  await page.getByRole('button', { name: 'Add label' }).click();
  await page.getByRole('button', { name, exact: true }).waitFor();
}
