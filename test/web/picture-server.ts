import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { readFile, readdir } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { makeExecutableSchema } from '@graphql-tools/schema';
import { GraphQLError, GraphQLScalarType, graphql, type GraphQLSchema } from 'graphql';
import GraphQLUpload from 'graphql-upload/GraphQLUpload.mjs';
import processRequest, { type FileUpload } from 'graphql-upload/processRequest.mjs';

/**
 * A small real server for the page: the public schema over the sample photos, held in memory. It finds pictures by the words of their
 * titles; everything a page can see (paging, errors, sessions, uploads, headers) is as the API has it.
 */
export interface PictureServer {
  readonly url: string;
  /** Texts and ids that were searched for, in order; later pages of a search aren't counted. */
  readonly searches: readonly string[];
  /** A link's token; good once. */
  makeToken(): string;
  /** The next search, or the next page of one, fails with this code. */
  failNext(code: string): void;
  /** Searches for this text wait until the returned function is called. */
  hold(text: string): () => void;
  close(): Promise<void>;
}

interface Picture {
  readonly id: string;
  readonly path: string;
  readonly words: readonly string[];
  readonly width: number;
  readonly height: number;
  readonly bytes: Buffer;
}

interface StandInJob {
  readonly id: string;
  readonly failed: readonly string[];
  readonly done: number;
  polls: number;
}

const ROOT = join(import.meta.dirname, '../..');
const PHOTOS = join(ROOT, 'samples/photos');
const COOKIE = 'session=in';
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
  const tokens = new Set<string>();
  const held = new Map<string, Promise<void>>();
  let failure: string | null = null;

  async function admitSearch(what: string, after: string | null): Promise<void> {
    if (after === null) searches.push(what);
    await held.get(what);
    const code = failure;
    failure = null;
    if (code !== null) throw new GraphQLError('Not now, the index says.', { extensions: { code } });
  }

  const schema = await makeSchema(pictures, admitSearch);
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
      response.writeHead(204, { 'set-cookie': `${COOKIE}; Max-Age=0; HttpOnly` }).end();
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

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    searches,
    makeToken: () => {
      const token = `token-${tokens.size + 1}`;
      tokens.add(token);
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
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
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
  const isSignedIn = request.headers.cookie?.includes(COOKIE) === true;
  const result = isSignedIn
    ? await graphql({
        schema,
        source: operation.query,
        variableValues: operation.variables,
      })
    : { errors: [new GraphQLError('Sign in.', { extensions: { code: 'UNAUTHENTICATED' } })] };
  response
    .writeHead(isSignedIn ? 200 : 401, { 'content-type': 'application/json' })
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
  tokens: Set<string>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = JSON.parse(await readText(request)) as { token?: string; apiKey?: string };
  const isGood = body.token === undefined ? body.apiKey === API_KEY : tokens.delete(body.token);
  if (isGood) response.setHeader('set-cookie', `${COOKIE}; HttpOnly; SameSite=Strict; Path=/`);
  response.writeHead(isGood ? 204 : 401).end();
}

async function makeSchema(
  pictures: Picture[],
  admitSearch: (what: string, after: string | null) => Promise<void>,
): Promise<GraphQLSchema> {
  const jobs = new Map<string, StandInJob>();
  const pass = { serialize: (value: unknown) => value };
  const find = (id: string): Picture | null => pictures.find((it) => it.id === id) ?? null;
  const inCollection = (name: string): readonly Picture[] => (name === 'demo' ? pictures : []);

  return makeExecutableSchema({
    typeDefs: await readSdl(),
    resolvers: {
      DateTime: new GraphQLScalarType({ name: 'DateTime', ...pass }),
      BigInt: new GraphQLScalarType({ name: 'BigInt', ...pass }),
      JSON: new GraphQLScalarType({ name: 'JSON', ...pass }),
      Upload: GraphQLUpload,
      Query: {
        viewer: () => ({ role: 'CURATOR', keyName: 'laptop', keyPrefix: 'slk_abcdefghijkl' }),
        collections: () => connection(['demo', 'empty'].map(collection), 100, null),
        images: (_: unknown, { collection: name, first, after }: PageArguments) =>
          connection(inCollection(name), first, after),
        image: (_: unknown, { id }: { id: string }) => find(id),
        search: async (_: unknown, { input, first, after }: SearchArguments) => {
          await admitSearch(input.text, after);
          const hits = rank(inCollection(input.collection), wordsOf(input.text));
          const isAnswered = hits.some(({ score }) => score > UNRELATED);
          return searchConnection(isAnswered ? hits : [], first, after);
        },
        similarImages: async (_: unknown, { imageId, first, after }: SimilarArguments) => {
          await admitSearch(imageId, after);
          const others = pictures.filter(({ id }) => id !== imageId);
          return searchConnection(rank(others, find(imageId)?.words ?? []), first, after);
        },
        classifyImage: (_: unknown, { input: { labels } }: { input: { labels: string[] } }) =>
          labels.map((label, i) => ({ label, score: 0.3 - i / 100, share: 1 / labels.length })),
        job: (_: unknown, { id }: { id: string }) => {
          const job = jobs.get(id);
          if (job !== undefined) job.polls++;
          return job ?? null;
        },
      },
      Mutation: {
        uploadImages: async (_: unknown, { input }: UploadArguments) => {
          const job = await takeIn(pictures, await Promise.all(input.files), `job-${jobs.size}`);
          jobs.set(job.id, job);
          return { job, userErrors: [] };
        },
      },
      Node: { __resolveType: () => 'Image' },
      Image: {
        collection: () => collection('demo'),
        sha256: () => '0'.repeat(64),
        bytes: ({ bytes }: Picture) => bytes.length,
        format: () => 'JPEG',
        takenAt: () => '2019-05-04T10:30:00.000Z',
        addedAt: () => '2026-11-01T00:00:00.000Z',
        metadata: () => ({ camera: { make: 'Canon', model: 'EOS 80D' } }),
        url: ({ id }: Picture) => `/files/${id}`,
        thumbnailUrl: ({ id }: Picture) => `/files/${id}`,
      },
      Collection: {
        imageCount: ({ name }: { name: string }) => inCollection(name).length,
      },
      Job: {
        state: ({ polls }: StandInJob) => (polls > 0 ? 'SUCCEEDED' : 'RUNNING'),
        total: ({ done, failed }: StandInJob) => done + failed.length,
        done: ({ done, polls }: StandInJob) => (polls > 0 ? done : 0),
        failed: ({ failed, polls }: StandInJob) => (polls > 0 ? failed.length : 0),
        skipped: () => 0,
        failures: ({ failed, polls }: StandInJob) =>
          connection(polls > 0 ? failed.map(failure) : [], 100, null),
      },
    },
  });
}

interface PageArguments {
  readonly collection: string;
  readonly first: number;
  readonly after: string | null;
}
interface SearchArguments {
  readonly input: { readonly collection: string; readonly text: string };
  readonly first: number;
  readonly after: string | null;
}
interface SimilarArguments {
  readonly imageId: string;
  readonly first: number;
  readonly after: string | null;
}
interface UploadArguments {
  readonly input: { readonly files: readonly Promise<FileUpload>[] };
}

function collection(name: string): object {
  return { id: `collection-${name}`, name, description: '' };
}

function failure(path: string): object {
  return { id: path, path, reasonCode: 'NOT_AN_IMAGE', message: 'No image of an allowed format.' };
}

async function takeIn(
  pictures: Picture[],
  files: readonly FileUpload[],
  id: string,
): Promise<StandInJob> {
  const failed: string[] = [];
  for (const { filename, createReadStream } of files) {
    const parts: Buffer[] = [];
    for await (const part of createReadStream()) parts.push(part as Buffer);
    const bytes = Buffer.concat(parts);
    if (bytes.subarray(0, 2).toString('hex') === 'ffd8') {
      const picture = { id: `upload-${filename}`, path: `uploads/${filename}`, bytes };
      pictures.push({ ...picture, words: wordsOf(filename), width: 320, height: 213 });
    } else {
      failed.push(`uploads/${filename}`);
    }
  }
  return { id, done: files.length - failed.length, failed, polls: 0 };
}

/** Score of a picture that has no word in common with the search. */
const UNRELATED = 0.2;

interface Ranked {
  readonly node: Picture;
  readonly score: number;
}

/** By words in common; all others follow. */
function rank(pictures: readonly Picture[], words: readonly string[]): readonly Ranked[] {
  const ranked = pictures.map((node, i) => {
    const common = node.words.filter((word) => words.includes(word)).length;
    return { node, score: Math.min(UNRELATED + common / 10, 0.9) - i / 10_000 };
  });
  return ranked.sort((a, b) => b.score - a.score);
}

function searchConnection(hits: readonly Ranked[], first: number, after: string | null): object {
  const page = connection(hits, first, after);
  return {
    ...page,
    edges: page.edges.map(({ cursor, node }) => ({ ...node, cursor, rank: Number(cursor) + 1 })),
    path: 'EXACT',
    tookMs: { encode: 3, index: 0.4, hydrate: 0.6, total: 4 },
    cutReason: hits.length === 0 ? 'NOTHING_RELEVANT' : null,
  };
}

function connection<Item>(
  items: readonly Item[],
  first: number,
  after: string | null,
): {
  edges: readonly { cursor: string; node: Item }[];
  pageInfo: object;
  totalCount: number;
} {
  const start = after === null ? 0 : Number(after) + 1;
  const edges = items
    .slice(start, start + first)
    .map((node, i) => ({ node, cursor: String(start + i) }));
  return {
    edges,
    pageInfo: {
      hasNextPage: start + first < items.length,
      hasPreviousPage: false,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
    totalCount: items.length,
  };
}

async function readPictures(): Promise<Picture[]> {
  const lines = (await readFile(join(PHOTOS, 'index.jsonl'), 'utf8')).trim().split('\n');
  return Promise.all(
    lines.map(async (line, i) => {
      const entry = JSON.parse(line) as Record<'image' | 'title', string> &
        Record<'width' | 'height', number>;
      const { image, title, width, height } = entry;
      const bytes = await readFile(join(PHOTOS, image));
      return { id: `p${i}`, path: `photos/${image}`, words: wordsOf(title), width, height, bytes };
    }),
  );
}

async function readSdl(): Promise<string[]> {
  const folder = join(ROOT, 'schema');
  const names = (await readdir(folder)).filter((name) => name.endsWith('.graphql'));
  return Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
}

function wordsOf(text: string): readonly string[] {
  return text
    .toLowerCase()
    .split(/[^a-z]+/)
    .filter((word) => word.length > 2);
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
