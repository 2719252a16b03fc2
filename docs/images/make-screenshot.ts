/** Makes search.png: the page over the demo collection, by the real server. Run: npx tsx docs/images/make-screenshot.ts */
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { launchBrowser, openPage } from '../../test/support/browser.ts';
import { startServer } from '../../test/support/server.ts';

const TARGET = join(import.meta.dirname, 'search.png');
const QUERY = 'a windmill';
const WINDOW = { width: 1000, height: 640 };
/** Runs in the page: everything in the window is loaded. */
const ARE_PICTURES_THERE =
  'Array.from(document.images).every((it) => it.complete || it.getBoundingClientRect().top > innerHeight)';

const dataFolder = await mkdtemp(join(tmpdir(), 'sharelock-screenshot-'));
const server = await startServer({ dataFolder });
const browser = await launchBrowser();
try {
  const { page } = await openPage(browser, server.url, { viewport: WINDOW, bypassCSP: true });
  await page.goto(server.signInLink);
  await page.getByRole('searchbox').fill(QUERY);
  await page.keyboard.press('Enter');
  await page.getByText(`for “${QUERY}”`).waitFor();
  await page.waitForFunction(ARE_PICTURES_THERE);
  const taken = await page.screenshot({ animations: 'disabled', caret: 'hide' });
  await sharp(taken).png({ palette: true, quality: 80, effort: 10 }).toFile(TARGET);
  const { size } = await stat(TARGET);
  console.log(`${TARGET}: ${Math.round(size / 1000)} kB`);
} finally {
  await browser.close();
  await server.stop();
  await rm(dataFolder, { recursive: true });
}
