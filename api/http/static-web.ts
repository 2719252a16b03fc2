import { join } from 'node:path';
import express, { Router, type Request, type Response } from 'express';
import type { Logger } from '../../platform/logger.ts';
import { messageOf, systemErrorCode } from '../../platform/errors.ts';

export interface StaticWebOptions {
  /** Where the built page lies: `web/dist`, absolute. */
  readonly folder: string;
  readonly logger: Pick<Logger, 'warn'>;
}

/** Seconds; such a file's name has its content's hash in it. */
const ASSET_MAX_AGE_SECONDS = 31_536_000;

/** First parts of paths that programs ask for: a page there would only hide a mistake. */
const RESERVED: ReadonlySet<string> = new Set([
  'api',
  'assets',
  'graphql',
  'healthz',
  'images',
  'metrics',
  'readyz',
  'schema.graphql',
  'thumbnails',
]);

/** The browser application. Its own addresses (`/`, `/sign-in`, `/image/<id>`) all answer with `index.html`. */
export function createStaticWeb({ folder, logger }: StaticWebOptions): Router {
  const router = Router();
  const assets = { immutable: true, maxAge: ASSET_MAX_AGE_SECONDS * 1_000, ...FILES };
  router.use('/assets', express.static(join(folder, 'assets'), assets));
  router.use(express.static(folder, { ...FILES, maxAge: 0, cacheControl: true }));
  router.get('/{*path}', (request, response, next) => {
    if (isPage(request)) sendPage(response, folder, logger);
    else next();
  });
  return router;
}

const FILES = { index: false, redirect: false, dotfiles: 'ignore' } as const;

/** An address that a person typed or followed. `Accept: *` is a program's. */
function isPage(request: Request): boolean {
  const parts = request.path.split('/');
  const isFile = parts.at(-1)?.includes('.') ?? false;
  const accept = request.get('Accept') ?? '';
  return accept.includes('text/html') && !isFile && !RESERVED.has(parts[1] ?? '');
}

function sendPage(response: Response, folder: string, logger: Pick<Logger, 'warn'>): void {
  const options = { root: folder, cacheControl: false, headers: { 'Cache-Control': 'no-cache' } };
  response.sendFile('index.html', options, (error?: unknown) => {
    if (error === undefined || error === null || response.headersSent) return;
    if (systemErrorCode(error) !== 'ENOENT') {
      logger.warn({ reason: messageOf(error) }, 'The web page could not be read');
    }
    response.status(503).set('Cache-Control', 'no-store').type('text/plain').send(NOT_BUILT);
  });
}

const NOT_BUILT =
  'The web page is not built. Run `npm run build` and reload; the API at /graphql works without it.\n';
