import type { ApolloServer } from '@apollo/server';
import { expressMiddleware } from '@as-integrations/express5';
import {
  json,
  Router,
  type NextFunction,
  type Request,
  type RequestHandler,
  type Response,
} from 'express';
import graphqlUploadExpress from 'graphql-upload/graphqlUploadExpress.mjs';
import { messageOf, PlatformError } from '../../platform/errors.ts';
import { authenticate } from '../auth/authenticate.ts';
import { hasRole, type Viewer } from '../auth/viewer.ts';
import { createContext, type Context, type Services } from '../context.ts';
import { statusOf } from './last-resort.ts';
import {
  MAX_PARALLEL_UPLOADS,
  MAX_READER_UPLOADS,
  MAX_REQUEST_BYTES,
  MAX_UPLOAD_BYTES,
  MAX_UPLOADS,
} from '../uploads.ts';

/** The JSON of a request; uploads don't count. The largest sensible one carries a thousand ids. */
const MAX_BODY = '1mb';
/** Of those who may import a vocabulary: 10 MB of text, some of it escaped. */
const MAX_CURATOR_BODY = '16mb';
/** After this nobody waits for an answer any more. */
const TIMEOUT_MS = 30_000;

/** `POST /graphql`. Who asks is settled before a byte of the body is looked at. */
export function createGraphqlRouter(
  server: ApolloServer<Context>,
  services: Services,
  guard: RequestHandler,
): Router {
  const viewers = new WeakMap<Request, Viewer>();
  const router = Router();
  router.use(async (request, response, next) => {
    try {
      const { database, now } = services;
      viewers.set(request, await authenticate(database.prisma, request.headers, now()));
      next();
    } catch (error) {
      if (!(error instanceof PlatformError)) throw error;
      sendError(response, 401, error.code, error.message);
    }
  });
  router.use(requirePreflight);
  const [short, long] = [MAX_BODY, MAX_CURATOR_BODY].map((limit): RequestHandler =>
    json({ limit }),
  );
  router.use((request, response, next) => {
    const viewer = viewers.get(request);
    const read = viewer && hasRole(viewer, 'CURATOR') ? long : short;
    read?.(request, response, next);
  });
  const [few, many] = [MAX_READER_UPLOADS, MAX_UPLOADS].map((maxFiles) =>
    graphqlUploadExpress({ maxFileSize: MAX_UPLOAD_BYTES, maxFiles, maxFieldSize: 1_000_000 }),
  );
  router.use(limitUploads());
  router.use((request, response, next) => {
    const viewer = viewers.get(request);
    const read = viewer && hasRole(viewer, 'CURATOR') ? many : few;
    read?.(request, response, next);
  });
  router.use(guard);
  router.use(
    expressMiddleware(server, {
      context: ({ req, res }) => {
        const viewer = viewers.get(req);
        if (viewer === undefined) throw new Error('A request passed without a viewer.');
        return Promise.resolve(createContext(services, viewer, signalOf(res)));
      },
    }),
  );
  router.use(refuseBadBody);
  return router;
}

/** A form of another page can send files without asking first, but not this header (Apollo's CSRF prevention does the rest). */
function requirePreflight(request: Request, response: Response, next: NextFunction): void {
  const isSafe = ['apollo-require-preflight', 'x-apollo-operation-name'].some(
    (name) => (request.headers[name] ?? '') !== '',
  );
  if (!isUpload(request) || isSafe) next();
  else {
    const message = 'Uploads need the header "apollo-require-preflight: true".';
    sendError(response, 400, 'BAD_REQUEST', message);
  }
}

/** Files are written to the disk before GraphQL knows what they are for, so they are bounded here. */
function limitUploads(): RequestHandler {
  let underWay = 0;
  return (request, response, next) => {
    if (!isUpload(request)) {
      next();
      return;
    }
    const length = Number(request.headers['content-length'] ?? NaN);
    if (!(length <= MAX_REQUEST_BYTES)) {
      const message = 'An upload says its Content-Length and has at most 1 GB.';
      sendError(response, 413, 'BODY_TOO_LARGE', message);
    } else if (underWay >= MAX_PARALLEL_UPLOADS) {
      response.set('Retry-After', '1');
      sendError(response, 429, 'RATE_LIMITED', 'Too many uploads at once: try again in a second.');
    } else {
      underWay++;
      response.once('close', () => underWay--);
      next();
    }
  };
}

function isUpload(request: Request): boolean {
  return request.is('multipart/form-data') === 'multipart/form-data';
}

/** Fires when the client went away or waited long enough. */
function signalOf(response: Response): AbortSignal {
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort(new Error('The client went away.'));
  });
  return AbortSignal.any([gone.signal, AbortSignal.timeout(TIMEOUT_MS)]);
}

/** What is wrong with a body before GraphQL sees it: too long, no JSON, a broken upload. */
function refuseBadBody(
  error: unknown,
  _request: Request,
  response: Response,
  next: NextFunction,
): void {
  const status = statusOf(error);
  if (response.headersSent || status === 500) next(error);
  else
    sendError(
      response,
      status,
      status === 413 ? 'BODY_TOO_LARGE' : 'BAD_REQUEST',
      messageOf(error),
    );
}

function sendError(response: Response, status: number, code: string, message: string): void {
  response.status(status).json({ errors: [{ message, extensions: { code } }] });
}
