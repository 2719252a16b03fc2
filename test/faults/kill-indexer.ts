/**
 * Kills an indexing process at random moments and starts it again, until the folder is indexed:
 *
 *     npx tsx test/faults/kill-indexer.ts [--photos N] [--kills N] [--folder DIR] [--seed N]
 *
 * In the end every photo must be in the collection once, no item may have failed, and `sharelock verify` must be
 * content. When the folder is done before all kills were used, it begins anew in another collection of another database,
 * so that each kill meets work. `--folder` defaults to `flickr8k/images` of SHARELOCK_DATA, or the samples.
 */
import { spawn } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Random } from '../../platform/random.ts';
import { Database } from '../../store/database.ts';

const EXECUTABLE = join(import.meta.dirname, '../../bin/sharelock');
/** Of a process's life, before it is killed: from loading to embedding. */
const [SHORTEST_MS, LONGEST_MS] = [1000, 8000];

const { values: flags } = parseArgs({
  options: {
    photos: { type: 'string', default: '2000' },
    kills: { type: 'string', default: '20' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    folder: { type: 'string', default: defaultFolder() },
  },
});
const random = new Random('kill-indexer', flags.seed);
console.log(`seed ${flags.seed}`);

const root = await mkdtemp(join(tmpdir(), 'sharelock-kills-'));
const faults: string[] = [];
try {
  const photos = await copyPhotos(Number(flags.photos));
  let kills = 0;
  for (let round = 1; kills < Number(flags.kills); round++) {
    kills += await killUntilDone(round, Number(flags.kills) - kills, photos);
  }
  console.log(`${kills} kills, ${photos} photos a round, ${faults.length} faults`);
} finally {
  await rm(root, { recursive: true, force: true });
}
for (const fault of faults) console.error(fault);
process.exitCode = faults.length === 0 ? 0 : 1;

function defaultFolder(): string {
  const data = process.env['SHARELOCK_DATA'];
  const samples = join(import.meta.dirname, '../../samples/photos/images');
  return data === undefined || data === '' ? samples : join(data, 'flickr8k', 'images');
}

async function copyPhotos(count: number): Promise<number> {
  const folder = join(root, 'photos');
  await mkdir(folder);
  const names = (await readdir(flags.folder)).slice(0, count);
  for (const name of names) await copyFile(join(flags.folder, name), join(folder, name));
  return names.length;
}

/** Gives how many kills it took. */
async function killUntilDone(round: number, most: number, photos: number): Promise<number> {
  const data = join(root, `data-${round}`);
  let kills = 0;
  for (;;) {
    const lifeMs = SHORTEST_MS + random.below(LONGEST_MS - SHORTEST_MS);
    const { code, output } = await run(indexArguments(), data, kills < most ? lifeMs : null);
    if (code === 0) break;
    if (code !== null) throw new Error(`The indexer ended with ${code}: ${output}`);
    kills++;
    console.log(`round ${round}, kill ${kills} after ${lifeMs} ms: ${await progress(data)}`);
  }
  const verified = await run(['verify', '--sample', '50'], data, null);
  if (verified.code !== 0) faults.push(`round ${round}: verify: ${verified.output}`);
  await checkCounts(round, data, photos);
  return kills;
}

function indexArguments(): string[] {
  return ['index', join(root, 'photos'), '--collection', 'killed', '--source', 's'];
}

interface Ended {
  /** Null: killed. */
  readonly code: number | null;
  readonly output: string;
}

function run(args: readonly string[], data: string, lifeMs: number | null): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(EXECUTABLE, args, { env: { ...process.env, DATA_DIR: data } });
    let output = '';
    child.stdout.on('data', (text: Buffer) => (output += text.toString()));
    child.stderr.on('data', (text: Buffer) => (output += text.toString()));
    const timer = lifeMs === null ? null : setTimeout(() => child.kill('SIGKILL'), lifeMs);
    child.on('error', reject);
    child.on('close', (code) => {
      if (timer) clearTimeout(timer);
      resolve({ code, output });
    });
  });
}

interface Counts {
  readonly images: number;
  readonly bytes: number;
  readonly embeddings: number;
  readonly entries: number;
  readonly jobs: number;
  readonly open: number;
  readonly failed: number;
}

async function count(data: string): Promise<Counts | null> {
  const url = process.env['DATABASE_URL'];
  const options = { url: url === undefined || url === '' ? null : url, dataFolder: data };
  const database = await Database.open(options);
  try {
    const { rows } = await database.pool.query<Counts>(`SELECT
      (SELECT count(*) FROM images)::int AS images,
      (SELECT count(DISTINCT sha256) FROM images)::int AS bytes,
      (SELECT count(*) FROM embeddings)::int AS embeddings,
      (SELECT count(*) FROM index_entries WHERE sha256 IS NOT NULL)::int AS entries,
      (SELECT count(*) FROM jobs)::int AS jobs,
      (SELECT count(*) FROM job_items WHERE state IN ('PENDING', 'RUNNING'))::int AS open,
      (SELECT count(*) FROM job_items WHERE state = 'FAILED')::int AS failed`);
    return rows[0] ?? null;
  } catch {
    return null; // killed before there were tables
  } finally {
    await database.close();
  }
}

async function progress(data: string): Promise<string> {
  const counts = await count(data).catch(() => null);
  return counts === null ? 'nothing yet' : `${counts.images} images, ${counts.open} items open`;
}

async function checkCounts(round: number, data: string, photos: number): Promise<void> {
  const counts = await count(data);
  console.log(`round ${round}: ${JSON.stringify(counts)}`);
  const { images, bytes, embeddings, entries, open, failed } = counts ?? {};
  if (images !== photos) faults.push(`round ${round}: ${images} images of ${photos} photos`);
  if (embeddings !== bytes) faults.push(`round ${round}: ${embeddings} embeddings of ${bytes}`);
  if (entries !== images) faults.push(`round ${round}: ${entries} index entries of ${images}`);
  if (open !== 0 || failed !== 0) faults.push(`round ${round}: ${open} open, ${failed} failed`);
}
