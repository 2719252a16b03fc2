import { execFile } from 'node:child_process';
import { copyFile, link, mkdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Bundle } from '../../../models/bundle.ts';
import { narrowBundle } from '../../../models/narrow-bundle.ts';
import type { Fleet } from './fleet.ts';
import { startFleet } from './fleet.ts';
import { Operator, type GenerationSeen } from './operator.ts';
import { SearchLoad, type Searched } from './search-load.ts';
import { watchSwitch, type Switch } from './switch-watch.ts';
import { UploadLoad } from './upload-load.ts';

const EXECUTABLE = join(import.meta.dirname, '../../../bin/sharelock');
const COLLECTION = 'proof';
/** JPEG files that uploads are made of. */
const UPLOADED = 20;

export interface ReindexUnderLoadOptions {
  /** An empty folder for everything. */
  readonly folder: string;
  /** A Postgres server; null: the embedded one. */
  readonly server: string | null;
  /** Folder of the bundle; and the width of the other vision space. */
  readonly bundle: string;
  readonly dimensions: number;
  /** JPEG files. */
  readonly photos: readonly string[];
  readonly texts: readonly string[];
  readonly searchesPerSecond: number;
  readonly uploadEveryMs: number;
  /** Before the reindex, and after the last switch. */
  readonly quietMs: number;
  readonly isWorkerEqual: boolean;
  /** See `SearchTarget`. */
  readonly timeoutMs: number;
  readonly mostOpen: number;
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
}

export interface Evidence {
  readonly photos: number;
  readonly seconds: { readonly ingest: number; readonly reindex: number };
  readonly phases: readonly { readonly name: string; readonly searches: readonly Searched[] }[];
  readonly switches: readonly Switch[];
  readonly uploads: {
    readonly acknowledged: readonly string[];
    readonly deleted: readonly string[];
    readonly failures: readonly string[];
  };
  /** In the end: paths and hashes of images; generations; jobs that went wrong; what `verify` said. */
  readonly images: readonly { readonly path: string; readonly sha256: string }[];
  readonly generations: readonly GenerationSeen[];
  readonly badJobs: readonly string[];
  readonly verify: { readonly isSound: boolean; readonly output: string };
  readonly complaints: readonly string[];
}

/**
 * Reindexes a collection into another vision space while others search, upload and delete; switches to it, back, and to it again. Real
 * processes: two APIs and a worker. What it gives is judged by `judge` (reindex-evidence.ts).
 */
export async function reindexUnderLoad(options: ReindexUnderLoadOptions): Promise<Evidence> {
  const { folder, server, bundle, dimensions, isWorkerEqual } = options;
  const [dataFolder, mediaFolder] = [join(folder, 'data'), join(folder, 'media')];
  const bundles = join(folder, 'bundles');
  const base = await Bundle.open(bundle);
  const narrow = await narrowBundle({ base, dimensions, out: join(bundles, 'narrow') });
  await gather(options.photos, join(mediaFolder, 'photos'));
  const fleet = await startFleet({
    ...{ dataFolder, mediaFolder, bundle, bundles, server, isWorkerEqual },
  });
  try {
    const driving = drive(fleet, narrow.visionSpace, join(mediaFolder, 'photos'), options);
    return await Promise.race([driving, rejectWhen(options.signal)]);
  } finally {
    await fleet.close();
  }
}

function rejectWhen(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const fail = (): void => {
      reject(new Error('Told to stop.'));
    };
    signal.addEventListener('abort', fail, { once: true });
    if (signal.aborted) fail();
  });
}

async function gather(photos: readonly string[], into: string): Promise<void> {
  await mkdir(into, { recursive: true });
  for (const from of photos) {
    const to = join(into, basename(from));
    await link(from, to).catch(() => copyFile(from, to));
  }
}

async function drive(
  fleet: Fleet,
  visionSpace: string,
  photoFolder: string,
  options: ReindexUnderLoadOptions,
): Promise<Evidence> {
  const { log, quietMs, searchesPerSecond: perSecond, texts, uploadEveryMs: everyMs } = options;
  const { timeoutMs, mostOpen } = options;
  const target = {
    ...{ apis: fleet.apis, key: fleet.key, collection: COLLECTION, timeoutMs, mostOpen },
  };
  const operator = new Operator(target);
  const ingest = await seconds(() => operator.ingest(photoFolder));
  log(`${options.photos.length} photos are indexed after ${ingest.toFixed(0)} s.`);

  const load = new SearchLoad({ ...target, perSecond, texts }, 'before');
  const photos = await Promise.all(options.photos.slice(0, UPLOADED).map((one) => readFile(one)));
  const uploads = new UploadLoad({ ...target, photos, everyMs });
  const switches: Switch[] = [];
  let reindex: number;
  try {
    await pause(quietMs);
    log('The reindex begins.');
    load.phase = 'reindexing';
    reindex = await seconds(async () => {
      await operator.startReindex(visionSpace);
      await operator.ready(2);
    });
    log(`Generation 2 is READY after ${reindex.toFixed(0)} s.`);
    load.phase = 'switching';
    switches.push(...(await switchThrice(operator, target)));
    load.phase = 'after';
    await pause(quietMs);
  } finally {
    await Promise.all([uploads.stop(), load.stop()]);
  }
  const badJobs = await operator.jobsEnd();
  log('The clients have stopped and the jobs have ended.');
  return {
    ...{ photos: options.photos.length, seconds: { ingest, reindex }, switches, badJobs },
    phases: PHASES.map((name) => ({ name, searches: load.ofPhase(name) })),
    uploads: {
      acknowledged: [...uploads.acknowledged],
      deleted: [...uploads.deleted],
      failures: uploads.failures,
    },
    images: await readImages(fleet),
    generations: await operator.generations(),
    verify: await verify(fleet),
    complaints: fleet.complaints,
  };
}

const PHASES = ['before', 'reindexing', 'switching', 'after'] as const;

async function switchThrice(
  operator: Operator,
  target: ConstructorParameters<typeof Operator>[0],
): Promise<readonly Switch[]> {
  const [built] = await operator.generations();
  const promote = { to: 2, change: () => operator.promote(built?.id ?? '') };
  const rollBack = { to: 1, change: () => operator.rollBack() };
  return [
    await watchSwitch(target, 'promote', promote),
    await watchSwitch(target, 'roll back', rollBack),
    await watchSwitch(target, 'promote again', promote),
  ];
}

async function seconds(work: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return (performance.now() - startedAt) / 1000;
}

async function readImages({ database }: Fleet): Promise<Evidence['images']> {
  const { rows } = await database.pool.query<{ path: string; sha256: string }>(
    `SELECT path, encode(sha256, 'hex') AS sha256 FROM images i
     JOIN collections c ON c.id = i.collection_id WHERE c.name = $1`,
    [COLLECTION],
  );
  return rows;
}

/** `sharelock verify`, as an operator runs it. */
async function verify({ environment }: Fleet): Promise<Evidence['verify']> {
  const env = { ...environment, LOG_LEVEL: 'warn' };
  const args = ['verify', '--collection', COLLECTION, '--sample', '50'];
  try {
    const { stdout, stderr } = await promisify(execFile)(EXECUTABLE, args, { env });
    return { isSound: true, output: stdout + stderr };
  } catch (error) {
    return { isSound: false, output: String(error) };
  }
}
