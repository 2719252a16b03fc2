import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { RequestHandler } from 'express';
import { createSecurityHeaders } from '../../../api/http/security-headers.ts';
import { createStaticWeb } from '../../../api/http/static-web.ts';
import { temporaryFolder } from '../../support/bundles.ts';
import { serving } from '../../support/serving.ts';

const BROWSER = { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };
const PAGE = '<!doctype html><title>ShareLock Search</title>';

const passed: RequestHandler = (_request, response) => {
  response.status(404).json({ code: 'NOT_FOUND' });
};

let folder: string;
beforeEach(async () => {
  folder = join(await temporaryFolder(), 'dist');
  await mkdir(join(folder, 'assets'), { recursive: true });
  await writeFile(join(folder, 'index.html'), PAGE);
  await writeFile(join(folder, 'assets', 'page-4f1c.js'), 'run()');
  await writeFile(join(folder, 'icon.svg'), '<svg/>');
  await writeFile(join(folder, '.env'), 'secret');
});

async function start(from = folder): Promise<string> {
  const logger = { warn: () => undefined };
  return serving(createSecurityHeaders(), createStaticWeb({ folder: from, logger }), passed);
}

describe('the page', () => {
  test.each(['/', '/sign-in', '/image/SW1hZ2U6MQ', '/collections/my photos'])(
    'answers a browser at %s, and is asked for again each time',
    async (path) => {
      const response = await fetch((await start()) + path, { headers: BROWSER });

      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toContain('text/html');
      expect(response.headers.get('cache-control')).toBe('no-cache');
      expect(await response.text()).toBe(PAGE);
    },
  );

  test.each([
    '/graphql',
    '/graphql/x',
    '/images/1',
    '/thumbnails/1',
    '/metrics',
    '/api/unknown',
    '/assets/gone-1234.js',
    '/favicon.ico',
    '/.env',
    '/..%2f..%2fetc%2fpasswd.txt',
  ])('does not answer at %s', async (path) => {
    const response = await fetch((await start()) + path, { headers: BROWSER });

    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(await response.text()).not.toMatch(/ShareLock Search|secret|root:/);
  });

  test('does not answer programs, nor anything but reading', async () => {
    const url = await start();

    expect((await fetch(`${url}/sign-in`, { headers: { Accept: '*/*' } })).status).toBe(404);
    expect((await fetch(`${url}/sign-in`, { method: 'POST', headers: BROWSER })).status).toBe(404);
    expect((await fetch(`${url}/sign-in`, { method: 'HEAD', headers: BROWSER })).status).toBe(200);
  });

  test('that is not built says how to build it, and comes when it is', async () => {
    const missing = join(folder, 'later');
    const url = await start(missing);

    const before = await fetch(url, { headers: BROWSER });
    await mkdir(missing);
    await writeFile(join(missing, 'index.html'), PAGE);
    const after = await fetch(url, { headers: BROWSER });

    expect(before.status).toBe(503);
    expect(await before.text()).toContain('npm run build');
    expect(after.status).toBe(200);
  });
});

describe('files of the page', () => {
  test('with a hash in their name are kept for good', async () => {
    const response = await fetch(`${await start()}/assets/page-4f1c.js`);

    expect(response.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(response.headers.get('content-type')).toContain('javascript');
  });

  test('without one are asked for again', async () => {
    const response = await fetch(`${await start()}/icon.svg`);

    expect(response.status).toBe(200);
    expect(response.headers.get('cache-control')).toBe('public, max-age=0');
  });

  test('are those of its folder only', async () => {
    await writeFile(join(folder, '..', 'outside.txt'), 'secret');
    await symlink('..', join(folder, '.up'));
    const { port } = new URL(await start());

    for (const path of ['/../outside.txt', '/assets/../../outside.txt', '/.up/outside.txt']) {
      expect(await rawBody(port, path)).not.toContain('secret');
    }
  });
});

test('every answer forbids what the page does not need', async () => {
  const { headers } = await fetch(await start(), { headers: BROWSER });
  const policy = headers.get('content-security-policy') ?? '';

  expect(policy).toContain("default-src 'self'");
  expect(policy).toContain("img-src 'self' blob: data:");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).not.toMatch(/unsafe|\*|https?:/);
  expect(headers.get('referrer-policy')).toBe('no-referrer');
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('x-powered-by')).toBeNull();
});

/** `fetch` would tidy the path. */
function rawBody(port: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = httpRequest({ port, path, host: '127.0.0.1' }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('end', () => {
        resolve(text);
      });
    });
    asked.on('error', reject).end();
  });
}
