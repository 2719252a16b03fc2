/**
 * What indexing costs beyond the work itself, as ratios measured in one run:
 *
 *     npx tsx test/bench/pipeline.ts --photos DIR [--count N] [--rescan N] [--json FILE]
 *
 * - pipeline ÷ bare loop: a whole ingest (scan, hash, decode in children, encode, commit, ledger) against sharp, then one
 *   onnxruntime session with as many threads, over the same photos; with and without thumbnails, which the bare loop lacks
 * - pipeline ÷ encodeAll: against our own encoder without store, which decodes and encodes at the same time
 * - a scan of unchanged files: files a second (`--rescan`, default 100,000)
 *
 * Each figure is the best of several rounds, taking turns. Uses an embedded Postgres in a temporary folder.
 */
import { copyFile, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import sharp from 'sharp';
import { formatTable } from '../../bin/table.ts';
import { createSearchableCollection } from '../../indexer/collections.ts';
import { startIngest } from '../../indexer/jobs/ingest.ts';
import { JOB_KINDS, type JobServices } from '../../indexer/jobs/index.ts';
import { JobRunner } from '../../indexer/jobs/runner.ts';
import { openServices } from '../../indexer/services.ts';
import { ImageEncoder } from '../../models/image-encoder.ts';
import { chunk } from '../../platform/chunk.ts';
import { Closers } from '../../platform/closers.ts';
import { createLogger } from '../../platform/logger.ts';
import type { CollectionId, SourceId } from '../../store/ids.ts';
import { putImages, type NewImage } from '../../store/images.ts';
import type { JobRecord } from '../../store/jobs.ts';
import { addSource } from '../../store/sources.ts';
import { sha256Of } from '../support/rows.ts';

const ROUNDS = 3;
const BUNDLE = join(import.meta.dirname, '../../models/bundles/default');
const cores = availableParallelism();

const { values: flags } = parseArgs({
  options: {
    photos: { type: 'string', default: join(import.meta.dirname, '../../samples/photos/images') },
    count: { type: 'string', default: '1000' },
    rescan: { type: 'string', default: '100000' },
    json: { type: 'string' },
  },
});

const closers = new Closers();
const data = await mkdtemp(join(tmpdir(), 'sharelock-bench-'));
closers.add(() => rm(data, { recursive: true, force: true }));
const config = {
  ...{ databaseUrl: null, bundleFolder: BUNDLE, bundlesFolder: join(data, 'bundles') },
  ...{ mediaRoots: null, sessions: null, engine: 'auto' as const, writesSidecars: false },
};
const logger = createLogger({ level: 'warn' });
const rows: [what: string, value: number, goal: number | null][] = [];

try {
  const services = await openServices({ ...config, dataFolder: data }, { closers, logger });
  const files = await copyPhotos(join(data, 'photos'));
  await benchPipeline(services, files);
  if (Number(flags.rescan) > 0) await benchRescan(services, Number(flags.rescan));
  print();
} finally {
  await closers.close();
}

/** Copied, so that exactly these are scanned. */
async function copyPhotos(folder: string): Promise<string[]> {
  await mkdir(folder);
  const names = (await readdir(flags.photos)).slice(0, Number(flags.count));
  for (const name of names) {
    await copyFile(join(flags.photos, name), join(folder, name));
  }
  return names.map((name) => join(folder, name));
}

async function benchPipeline(services: JobServices, files: readonly string[]): Promise<void> {
  const { collectionId } = await newSource(services, join(data, 'photos'));
  const { models } = services;
  const encoder = await (await models.findVision(models.main.visionSpace))?.encoder();
  if (!(encoder instanceof ImageEncoder)) throw new Error('The bench wants the real encoder.');
  const session = await bareSession(services);
  const times = await takeTurns(services, {
    bare: () => bareLoop(session, services, files),
    plain: () => ingestOnce({ ...services, makesThumbnails: false }, collectionId, files.length),
    full: () => ingestOnce(services, collectionId, files.length),
    encodeAll: () => encoder.encodeAll(files.map((image) => ({ image }))),
  });
  await session.release();
  rows.push(
    ['photos/s, bare loop', files.length / times.bare, null],
    ['photos/s, encodeAll', files.length / times.encodeAll, null],
    ['photos/s, pipeline', files.length / times.plain, null],
    ['photos/s, pipeline with thumbnails', files.length / times.full, null],
    ['pipeline ÷ bare loop', times.bare / times.plain, 0.9],
    ['pipeline with thumbnails ÷ bare loop', times.bare / times.full, null],
    ['pipeline ÷ encodeAll', times.encodeAll / times.plain, null],
  );
}

async function bareSession({ models }: JobServices): Promise<InferenceSession> {
  const bundle = models.main;
  const graph = await bundle.readGraph(bundle.manifest.vision.graph);
  return InferenceSession.create(graph, { intraOpNumThreads: cores });
}

async function bareLoop(
  session: InferenceSession,
  { models }: JobServices,
  files: readonly string[],
): Promise<void> {
  const { width, height } = models.main.manifest.vision.input;
  for (const file of files) {
    const image = sharp(file).resize(width, height, { fit: 'fill', kernel: 'cubic' });
    const pixels = await image.removeAlpha().toColourspace('srgb').raw().toBuffer();
    await session.run({ pixels: new Tensor('uint8', pixels, [1, height, width, 3]) });
  }
}

/** From nothing: what a round before left is emptied first, outside the time. */
async function ingestOnce(
  services: JobServices,
  collectionId: CollectionId,
  count: number,
): Promise<void> {
  const { result } = await ingest(services, collectionId);
  const { embedded } = result as { embedded: number };
  if (embedded !== count) throw new Error(`${embedded} of ${count} photos were embedded.`);
}

async function empty({ database }: JobServices): Promise<void> {
  await database.pool.query('TRUNCATE embeddings, images, index_entries, job_items CASCADE');
  await database.pool.query('DELETE FROM jobs');
  await rm(join(data, 'thumbnails'), { recursive: true, force: true });
}

async function ingest(services: JobServices, collectionId: CollectionId): Promise<JobRecord> {
  const { database } = services;
  const { id } = await startIngest(database, {
    ...{ collectionId, prune: false, dryRun: false, createdBy: 'bench', idempotencyKey: null },
    now: new Date(),
  });
  const runner = new JobRunner({ kinds: JOB_KINDS, database, services, logger });
  return runner.runJob(id, new AbortController().signal);
}

async function newSource(
  { database, models }: JobServices,
  folder: string,
): Promise<{ collectionId: CollectionId; id: SourceId }> {
  const name = `bench ${rows.length}`;
  const { id } = await createSearchableCollection(database, models.main, { name });
  return addSource(database.prisma, { collectionId: id, name: 'src', folder });
}

/** Files that are in the store already, as they are. */
async function benchRescan(services: JobServices, count: number): Promise<void> {
  await empty(services);
  const folder = join(data, 'many');
  const source = await newSource(services, folder);
  for (const part of chunk([...Array(count).keys()], 1000)) {
    const sub = join(folder, String((part[0] ?? 0) / 1000));
    await mkdir(sub, { recursive: true });
    const images = await Promise.all(part.map((i) => writeKnown(folder, sub, i, source.id)));
    await putImages(services.database.pool, source.collectionId, images);
  }
  const start = performance.now();
  const { plan } = await ingest(services, source.collectionId);
  const seconds = (performance.now() - start) / 1000;
  const { unchanged } = plan as { unchanged: number };
  if (unchanged !== count) throw new Error(`${unchanged} of ${count} files were unchanged.`);
  rows.push([`seconds for ${count} unchanged files`, seconds, null]);
  rows.push(['unchanged files/s', count / seconds, null]);
}

async function writeKnown(
  root: string,
  folder: string,
  i: number,
  sourceId: SourceId,
): Promise<NewImage> {
  const file = join(folder, `${i}.jpg`);
  await writeFile(file, 'x');
  const { mtimeNs } = await stat(file, { bigint: true });
  return {
    ...{ sourceId, path: `src/${file.slice(root.length + 1)}`, sha256: sha256Of(String(i)) },
    ...{ width: 1, height: 1, bytes: 1, format: 'JPEG', takenAt: null, metadata: {} },
    fileMtimeNs: mtimeNs,
  };
}

/** Seconds of each one's best round. The first round warms up. */
async function takeTurns<Name extends string>(
  services: JobServices,
  runs: Readonly<Record<Name, () => Promise<unknown>>>,
): Promise<Record<Name, number>> {
  const names = Object.keys(runs) as Name[];
  const best = Object.fromEntries(names.map((name) => [name, Infinity])) as Record<Name, number>;
  for (let round = 0; round <= ROUNDS; round++) {
    for (const name of names) {
      await empty(services);
      const start = performance.now();
      await runs[name]();
      const seconds = (performance.now() - start) / 1000;
      if (round > 0) best[name] = Math.min(best[name], seconds);
    }
  }
  return best;
}

function print(): void {
  const table = rows.map(([what, value, goal]) => [
    ...[what, value.toFixed(2), goal === null ? '' : `≥ ${goal}`],
    goal === null ? '' : value >= goal ? 'met' : 'missed',
  ]);
  console.log(formatTable([['', 'measured', 'goal', ''], ...table]));
  const json = JSON.stringify({ cores, rows }, null, 2);
  if (flags.json === undefined) console.log(json);
  else writeFileSync(flags.json, `${json}\n`);
}
