import { execFile } from 'node:child_process';
import { link, copyFile, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { z } from 'zod';
import { startApi, type RunningApi } from '../../api/start-api.ts';
import { parseConfig } from '../../api/config.ts';
import { CollectionIndex } from '../../api/search/collection-index.ts';
import { IndexerProcess } from '../../bin/indexer-process.ts';
import { startIngest } from '../../indexer/jobs/ingest.ts';
import { Bundle } from '../../models/bundle.ts';
import { TextEncoder } from '../../models/text-encoder.ts';
import { Closers } from '../../platform/closers.ts';
import { PlatformError } from '../../platform/errors.ts';
import { createLogger } from '../../platform/logger.ts';
import { createApiKey } from '../../store/api-keys.ts';
import { readChanges, type IndexKey } from '../../store/changes.ts';
import { getCollection } from '../../store/collections.ts';
import { findLiveGeneration } from '../../store/generations.ts';
import { findJob } from '../../store/jobs.ts';
import { addSource } from '../../store/sources.ts';
import { fileURLToPath } from 'node:url';
import { plainNearest, recall, type Vectors } from '../support/vectors.ts';

/**
 * Search from end to end over real photos: `npm run bench:search -- --dataset flickr8k --photos 5000`. Indexes them into a
 * database of its own, then checks every answer against a plain scan of the stored vectors and measures, in one run:
 * recall@10 of the graph engines with text queries; `search` ÷ (encode alone + index alone); `search` with a cached text;
 * `search` while other photos are indexed ÷ idle.
 */
const { values } = parseArgs({
  options: {
    dataset: { type: 'string' },
    photos: { type: 'string', default: '5000' },
    more: { type: 'string', default: '1500' },
    queries: { type: 'string', default: '300' },
  },
});
if (values.dataset === undefined) throw new Error('Give --dataset FOLDER with captions.jsonl.');
const count = Number(values.photos);
const queryCount = Number(values.queries);
const K = 10;

interface Photo {
  readonly image: string;
  readonly captions: readonly string[];
}

const LINE = z.object({ image: z.string(), captions: z.array(z.string()).min(1) });

async function readDataset(folder: string): Promise<readonly Photo[]> {
  const text = await readFile(join(folder, 'captions.jsonl'), 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => LINE.parse(JSON.parse(line)));
}

async function gather(folder: string, photos: readonly Photo[], into: string): Promise<void> {
  await mkdir(into);
  for (const { image } of photos) {
    const [from, to] = [join(folder, image), join(into, basename(image))];
    await link(from, to).catch(() => copyFile(from, to));
  }
}

const run = promisify(execFile);
const work = await mkdtemp(join(tmpdir(), 'sharelock-bench-'));
const closers = new Closers();
closers.add(() => rm(work, { recursive: true, force: true }));
const environment = {
  ...process.env,
  DATA_DIR: join(work, 'data'),
  PORT: '0',
  COST_CAPACITY: '1000000000',
  COST_PER_SECOND: '1000000000',
};

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

class Times {
  readonly #all: number[] = [];

  async measure<T>(work: () => Promise<T>): Promise<T> {
    const startedAt = performance.now();
    const result = await work();
    this.#all.push(performance.now() - startedAt);
    return result;
  }

  at(share: number): number {
    return percentile(
      [...this.#all].sort((a, b) => a - b),
      share,
    );
  }
}

const ANSWER = z.object({
  data: z.object({
    search: z.object({
      path: z.string(),
      tookMs: z.object({ total: z.number() }),
      edges: z.array(z.object({ node: z.object({ id: z.string() }) })),
    }),
  }),
});

const QUERY = `query ($text: String!, $first: Int!) {
  search(input: { collection: "bench", text: $text, cut: false }, first: $first) {
    path tookMs { total } edges { rank score node { id path thumbnailUrl } }
  }
}`;

function createSearch({ url }: RunningApi, secret: string, tookMs: number[]) {
  return async (text: string, first = 20): Promise<BigUint64Array> => {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
      body: JSON.stringify({ query: QUERY, variables: { text, first } }),
    });
    const { search } = ANSWER.parse(await response.json()).data;
    tookMs.push(search.tookMs.total);
    return BigUint64Array.from(search.edges, ({ node }) =>
      BigInt(Buffer.from(node.id, 'base64url').toString().replace('Image:', '')),
    );
  };
}

async function readVectors({ services }: RunningApi, key: IndexKey): Promise<Vectors> {
  const all = await readChanges(services.database.pool, key, { after: 0n, limit: 10_000_000 });
  if (all === null) throw new Error('Nothing was indexed.');
  const { ids, vectors: rows } = all;
  const dimensions = rows.length / ids.length;
  return { ids, rows, dimensions, count: ids.length, clusters: new Int32Array(ids.length) };
}

async function measureRecall(
  { services }: RunningApi,
  key: IndexKey,
  queries: readonly Float32Array[],
  vectors: Vectors,
): Promise<void> {
  const { visionSpace } = services.registered;
  for (const engine of ['usearch', 'hnswlib'] as const) {
    try {
      const index = await CollectionIndex.open({
        ...{ key, engine, fingerprint: visionSpace.fingerprint, listener: services.listener },
        ...{ dimensions: vectors.dimensions, folder: join(work, 'recall') },
        ...{ db: services.database.pool, logger: services.logger },
      });
      let sum = 0;
      for (const query of queries) {
        const { ids } = await index.search(query, { k: K });
        sum += recall(ids, plainNearest(vectors, query, K));
      }
      console.log(`recall@10, ${engine}, text queries: ${(sum / queries.length).toFixed(4)}`);
      await index.stop();
    } catch (error) {
      if (!(error instanceof PlatformError)) throw error;
      console.log(`${engine}: ${error.message}`);
    }
  }
}

async function measureWhileIndexing(
  api: RunningApi,
  folder: string,
  search: (text: string) => Promise<unknown>,
  texts: readonly string[],
): Promise<Times> {
  const { database, now } = api.services;
  const { id: collectionId } = await getCollection(database.prisma, 'bench');
  await addSource(database.prisma, { collectionId, name: 'more', folder });
  const job = await startIngest(database, {
    ...{ collectionId, prune: false, dryRun: false, createdBy: 'bench', now: now() },
    idempotencyKey: null,
  });
  const indexer = IndexerProcess.start({ environment, logger: api.services.logger });
  const times = new Times();
  let searches = 0;
  try {
    while ((await findJob(database.prisma, job.id))?.state !== 'SUCCEEDED') {
      const state = (await findJob(database.prisma, job.id))?.state;
      const text = texts[searches++ % texts.length] ?? '';
      if (state === 'RUNNING') await times.measure(() => search(text));
    }
  } finally {
    await indexer.stop();
  }
  return times;
}

const ratio = (value: number): string => value.toFixed(2);

try {
  const photos = await readDataset(values.dataset);
  const [first, more] = [photos.slice(0, count), photos.slice(count, count + Number(values.more))];
  await gather(values.dataset, first, join(work, 'photos'));
  await gather(values.dataset, more, join(work, 'more'));
  const indexedIn = new Times();
  await indexedIn.measure(() =>
    run(
      fileURLToPath(new URL('../../bin/sharelock', import.meta.url)),
      ['index', join(work, 'photos'), '--collection', 'bench'],
      {
        env: environment,
      },
    ),
  );
  console.log(`${count} photos indexed, ${ratio(count / (indexedIn.at(0) / 1000))} a second`);

  const logger = createLogger({ level: 'warn' });
  const api = await startApi(parseConfig(environment), { closers, logger });
  await api.ready;
  const { database, texts: embeddings } = api.services;
  const { secret } = await createApiKey(
    database.prisma,
    { role: 'READER', collections: null },
    new Date(),
  );
  const tookMs: number[] = [];
  const search = createSearch(api, secret, tookMs);
  const { id: collectionId } = await getCollection(database.prisma, 'bench');
  const generation = await findLiveGeneration(database.prisma, collectionId);
  if (generation === null) throw new Error('No generation is live.');
  const key = { collectionId, visionSpaceId: generation.visionSpaceId };
  const vectors = await readVectors(api, key);

  const captions = first.slice(0, queryCount).map(({ captions: [text = ''] }) => text);
  const vectorsOfTexts = await Promise.all(captions.map((text) => embeddings.encode(text)));
  let equal = 0;
  for (const [i, text] of captions.entries()) {
    const truth = plainNearest(vectors, vectorsOfTexts[i] ?? new Float32Array(), K);
    const found = (await search(text)).subarray(0, K);
    if (recall(found, truth) === 1) equal++;
  }
  console.log(`search = plain scan of the stored vectors: ${equal} of ${captions.length} queries`);
  await measureRecall(api, key, vectorsOfTexts, vectors);

  // Texts nobody asked yet, so that each is encoded; the three are measured in turn.
  const encoder = await TextEncoder.load(await Bundle.open(api.services.bundle.folder), {
    sessions: 1,
  });
  closers.add(() => encoder.dispose());
  const index = await api.services.indexes.get(key);
  const unasked = first.slice(0, queryCount).map(({ captions: [, text = 'a photo'] }) => text);
  const [encode, find, whole] = [new Times(), new Times(), new Times()];
  tookMs.length = 0;
  for (const text of unasked) {
    const [encoded] = await encode.measure(() => encoder.encode([text]));
    const query = encoded?.embedding ?? new Float32Array();
    await find.measure(() => index.search(query, { k: 20 }));
    await whole.measure(() => search(text));
  }
  const parts = encode.at(0.5) + find.at(0.5);
  const inside = percentile(
    tookMs.sort((a, b) => a - b),
    0.5,
  );
  console.log(
    `p50: search (tookMs.total) ÷ (encode alone + index alone) = ${ratio(inside / parts)}`,
  );
  console.log(
    `p50: search over HTTP ÷ (encode alone + index alone) = ${ratio(whole.at(0.5) / parts)} ` +
      `(encode ${ratio(encode.at(0.5))} ms, index ${ratio(find.at(0.5))} ms, search ${ratio(whole.at(0.5))} ms)`,
  );
  const warm = new Times();
  for (let round = 0; round < 5; round++) {
    for (const text of captions) await warm.measure(() => search(text));
  }
  console.log(
    `cached text, 20 hits, over HTTP: p50 ${ratio(warm.at(0.5))} ms, p99 ${ratio(warm.at(0.99))} ms`,
  );
  const busy = await measureWhileIndexing(api, join(work, 'more'), search, captions);
  console.log(
    `p99 while indexing ÷ idle (cached text) = ${ratio(busy.at(0.99) / warm.at(0.99))}; p50 ${ratio(busy.at(0.5) / warm.at(0.5))}`,
  );
} finally {
  await closers.close();
}
