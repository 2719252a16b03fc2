/**
 * Makes search.png, review.png and generations.png: the page over the demo collection, by the real server.
 * Run: npx tsx docs/images/make-screenshot.ts [search] [review] [generations]; all without a name.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { launchBrowser, openPage } from '../../test/support/browser.ts';
import { startServer } from '../../test/support/server.ts';

const QUERY = 'a windmill';
const WINDOW = { width: 1000, height: 640 };
/** Runs in the page: everything in the window is loaded. */
const ARE_PICTURES_THERE =
  'Array.from(document.images).every((it) => it.complete || it.getBoundingClientRect().top > innerHeight)';

const PICTURES = { search: takeSearch, review: takeReview, generations: takeGenerations };

const named = process.argv.slice(2);
const dataFolder = await mkdtemp(join(tmpdir(), 'sharelock-screenshot-'));
const server = await startServer({ dataFolder });
const browser = await launchBrowser();
try {
  const { page } = await openPage(browser, server.url, { viewport: WINDOW, bypassCSP: true });
  await page.goto(server.signInLink);
  await page.getByRole('searchbox').waitFor();
  for (const [name, take] of Object.entries(PICTURES)) {
    if (named.length > 0 && !named.includes(name)) continue;
    await page.setViewportSize(WINDOW);
    await take(page);
  }
} finally {
  await browser.close();
  await server.stop();
  await rm(dataFolder, { recursive: true });
}

async function takeSearch(page: Page): Promise<void> {
  await page.getByRole('searchbox').fill(QUERY);
  await page.keyboard.press('Enter');
  await page.getByText(`for “${QUERY}”`).waitFor();
  await page.waitForFunction(ARE_PICTURES_THERE);
  await save('search.png', await page.screenshot({ animations: 'disabled', caret: 'hide' }));
}

/** Some tags are accepted, one is rejected, two are marked for the next key. */
async function takeReview(page: Page): Promise<void> {
  // Every photo gets its best label: there is something to say about each.
  const options = ['--vocabulary', 'everyday', '--min-tags', '1'];
  await sharelock('tag', '--collection', 'demo', ...options);
  await page.setViewportSize({ width: WINDOW.width, height: 860 });
  await page.goto(`${server.url}/review?c=demo&vocabulary=everyday&order=BEST`);
  await page.getByRole('listbox').getByRole('option').first().waitFor();
  for (const key of 'aaaar') await page.keyboard.press(key);
  await page.keyboard.press('Shift+ArrowRight');
  await page.getByText('All saved').waitFor();
  await page.waitForFunction(ARE_PICTURES_THERE);
  await page.evaluate('scrollTo(0, 0)');
  await save('review.png', await page.screenshot({ animations: 'disabled', caret: 'hide' }));
}

async function takeGenerations(page: Page): Promise<void> {
  const out = join(dataFolder, 'bundles', 'lite-256');
  await sharelock('bundle', 'narrow', '--dimensions', '256', '--out', out);
  const space = ['--vision-space', 'efficientnet-lite0-256'];
  await sharelock('reindex', '--collection', 'demo', ...space, '--canary', 'a parrot');
  await page.goto(`${server.url}/generations?c=demo`);
  const compare = page.getByRole('form', { name: 'Compare generations' });
  await compare.getByRole('textbox').fill('a parrot');
  await compare.getByRole('button', { name: 'Compare' }).click();
  await page.getByText('of 10 the same').waitFor();
  await page.setViewportSize({ width: WINDOW.width, height: 1400 });
  await page.waitForFunction(ARE_PICTURES_THERE);
  await page.evaluate('scrollTo(0, 0)');
  const whole = await page.screenshot({ animations: 'disabled', caret: 'hide', fullPage: true });
  await save('generations.png', whole);
}

async function sharelock(...args: readonly string[]): Promise<void> {
  const program = join(import.meta.dirname, '../../bin/sharelock');
  const env = { ...process.env, DATA_DIR: dataFolder, DATABASE_URL: '' };
  const { stdout, stderr } = await promisify(execFile)(program, args, { env });
  console.log(`$ sharelock ${args.join(' ')}\n${stdout}${stderr}`);
}

async function save(name: string, taken: Uint8Array): Promise<void> {
  const target = join(import.meta.dirname, name);
  await sharp(taken).png({ palette: true, quality: 80, effort: 10 }).toFile(target);
  const { size } = await stat(target);
  console.log(`${target}: ${Math.round(size / 1000)} kB`);
}
