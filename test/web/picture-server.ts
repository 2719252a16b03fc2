import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { GraphQLError, graphql, type GraphQLSchema } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import processRequest from 'graphql-upload/processRequest.mjs';
import { WebSocketServer } from 'ws';
import { makeSchema } from './picture-schema.ts';
import { readPictures } from './pictures.ts';
import { StandInGenerations } from './stand-in-generations.ts';
import { someJobs } from './stand-in-job-list.ts';
import { StandInJobs, type StandInViewer } from './stand-in-jobs.ts';

/**
 * A small real server for the page: the public schema over the sample photos, held in memory. It finds pictures by the words of their
 * titles; everything a page can see (paging, errors, sessions, uploads, headers) is as the API has it.
 */
export interface PictureServer {
  readonly url: string;
  /** Texts and ids that were searched for, in order; later pages of a search aren't counted. */
  readonly searches: readonly string[];
  readonly jobs: StandInJobs;
  readonly generations: StandInGenerations;
  /** A link's token; good once. */
  makeToken(role?: Role): string;
  /** Whether WebSockets may connect. */
  takesSockets: boolean;
  /** The next search, or the next page of one, fails with this code. */
  failNext(code: string): void;
  /** Searches for this text wait until the returned function is called. */
  hold(text: string): () => void;
  close(): Promise<void>;
}

export type Role = 'READER' | 'CURATOR' | 'ADMIN';

const API_KEY = 'slk_right';
const HEADERS = {
  'content-security-policy':
    "default-src 'self'; img-src 'self' blob: data:; style-src 'self'; connect-src 'self'; " +
    "object-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
  'x-content-type-options': 'nosniff',
};
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

/** `pages` is the folder that Vite built into. */
export async function startPictureServer(pages: string): Promise<PictureServer> {
  const pictures = await readPictures();
  const searches: string[] = [];
  const tokens = new Map<string, Role>();
  const held = new Map<string, Promise<void>>();
  let failure: string | null = null;

  async function admitSearch(what: string, after: string | null): Promise<void> {
    if (after === null) searches.push(what);
    await held.get(what);
    const code = failure;
    failure = null;
    if (code !== null) throw new GraphQLError('Not now, the index says.', { extensions: { code } });
  }

  const jobs = new StandInJobs(someJobs(pictures));
  const generations = new StandInGenerations(jobs);
  const schema = await makeSchema({ pictures, admitSearch, jobs, generations });
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      response.writeHead(500).end(String(error));
    });
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const route = `${request.method ?? ''} ${pathname}`;
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    if (route === 'POST /graphql') return answerGraphql(schema, request, response);
    if (route === 'POST /sign-in') return signIn(tokens, request, response);
    if (route === 'POST /sign-out') {
      response.writeHead(204, { 'set-cookie': 'session=; Max-Age=0; HttpOnly' }).end();
    } else if (pathname.startsWith('/files/')) {
      const picture = pictures.find(({ id }) => id === pathname.slice('/files/'.length));
      response.writeHead(picture === undefined ? 404 : 200, { 'content-type': 'image/jpeg' });
      response.end(picture?.bytes);
    } else {
      const file = extname(pathname) === '' ? '/index.html' : pathname;
      response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'text/plain' });
      response.end(await readFile(join(pages, file)));
    }
  }

  const sockets = useServer(
    {
      schema,
      onConnect: ({ extra }) => self.takesSockets && viewerOf(extra.request) !== null,
      context: ({ extra }) => viewerOf(extra.request) ?? {},
    },
    new WebSocketServer({ server, path: '/graphql' }),
  );

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  let made = 0;
  const self: PictureServer = {
    url: `http://127.0.0.1:${port}`,
    ...{ searches, jobs, generations, takesSockets: true },
    makeToken: (role = 'CURATOR') => {
      const token = `token-${++made}`;
      tokens.set(token, role);
      return token;
    },
    failNext: (code) => {
      failure = code;
    },
    hold: (text) => {
      const { promise, resolve } = withResolvers();
      held.set(text, promise);
      return resolve;
    },
    close: async () => {
      await sockets.dispose();
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
  return self;
}

/** From the session's cookie, which is the role; null when there is none. */
function viewerOf({ headers }: IncomingMessage): StandInViewer | null {
  const role = /session=([A-Z]+)/.exec(headers.cookie ?? '')?.[1];
  return role === undefined ? null : { role };
}

async function answerGraphql(
  schema: GraphQLSchema,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.headers['apollo-require-preflight'] !== 'true') {
    response.writeHead(400).end();
    return;
  }
  const operation = await readOperation(request, response);
  const viewer = viewerOf(request);
  const result =
    viewer === null
      ? { errors: [new GraphQLError('Sign in.', { extensions: { code: 'UNAUTHENTICATED' } })] }
      : await graphql({
          schema,
          source: operation.query,
          variableValues: operation.variables,
          contextValue: viewer,
        });
  response
    .writeHead(viewer !== null ? 200 : 401, { 'content-type': 'application/json' })
    .end(JSON.stringify(result));
}

interface GraphqlRequest {
  readonly query: string;
  readonly variables: Record<string, unknown>;
}

async function readOperation(
  request: IncomingMessage,
  response: ServerResponse,
): Promise<GraphqlRequest> {
  const isMultipart = request.headers['content-type']?.startsWith('multipart/') === true;
  const body: unknown = isMultipart
    ? await processRequest(request, response)
    : JSON.parse(await readText(request));
  return body as GraphqlRequest;
}

async function signIn(
  tokens: Map<string, Role>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = JSON.parse(await readText(request)) as { token?: string; apiKey?: string };
  const role = body.token === undefined ? roleOfKey(body.apiKey) : tokens.get(body.token);
  if (body.token !== undefined) tokens.delete(body.token);
  if (role !== undefined) {
    response.setHeader('set-cookie', `session=${role}; HttpOnly; SameSite=Strict; Path=/`);
  }
  response.writeHead(role === undefined ? 401 : 204).end();
}

function roleOfKey(apiKey: string | undefined): Role | undefined {
  return apiKey === API_KEY ? 'CURATOR' : undefined;
}

async function readText(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
