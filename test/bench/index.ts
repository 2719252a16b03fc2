/**
 * How fast the vector indexes are, and how much they find, as ratios measured in one run:
 *
 *     npm run bench:index -- [--count 50000] [--dimensions 384] [--queries 300] [--engines exact,usearch,hnswlib] [--json FILE]
 *
 * - QPS at recall@10 ≥ 0.95 and ≥ 0.99: the fastest `ef` that reaches it, one caller that waits for each answer, the hop
 *   to the index's thread and back included; truth is the exact search over the same vectors
 * - filters: a random part of the ids allowed; QPS, recall and the path that answered
 * - build: seconds of `add`, one after the other; memory: what the process grew by, without the data it was built from
 * - p99 of a search while vectors are added ÷ p99 idle
 *
 * Each engine runs in a process of its own, on the same seeded vectors: 500 clusters and three of ten loose, of 48 real
 * dimensions, as `clusteredVectors` makes them.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { formatTable } from '../../bin/table.ts';
import { createIndex } from '../../indexer/vector-index/create-index.ts';
import { DEFAULT_EF, type EngineName } from '../../indexer/vector-index/engines.ts';
import { requireHnswlib } from '../../indexer/vector-index/hnswlib-index.ts';
import type { ThreadIndex } from '../../indexer/vector-index/thread-index.ts';
import type { SearchOptions } from '../../indexer/vector-index/vector-index.ts';
import { clusteredVectors, recall, rowOf, type Vectors } from '../support/vectors.ts';

const K = 10;
const EFS = [32, 64, 96, 128, 192, 256, 384, 512, 768];
const PARTS = [0.5, 0.1, 0.01];

const { values: flags } = parseArgs({
  options: {
    count: { type: 'string', default: '50000' },
    dimensions: { type: 'string', default: '384' },
    queries: { type: 'string', default: '300' },
    engines: { type: 'string', default: 'exact,usearch,hnswlib' },
    json: { type: 'string' },
    /** Set by this script for its own processes. */
    child: { type: 'string' },
  },
});
const shape = {
  count: Number(flags.count),
  dimensions: Number(flags.dimensions),
  clusters: 500,
  latent: 48,
};

interface Speed {
  readonly qps: number;
  readonly recall: number;
  readonly path: string;
}

interface Report {
  readonly engine: EngineName;
  readonly buildSeconds: number;
  readonly memoryMb: number;
  readonly snapshotMb: number;
  readonly saveSeconds: number;
  readonly openSeconds: number;
  /** By ef. */
  readonly speeds: Readonly<Record<number, Speed>>;
  /** By the part of the ids that is allowed. */
  readonly filtered: Readonly<Record<number, Speed>>;
  readonly idleP99Ms: number;
  readonly addingP99Ms: number;
}

if (flags.child === undefined) await compare();
else await measure(flags.child as EngineName);

async function compare(): Promise<void> {
  const names = (flags.engines.split(',') as EngineName[]).filter((name) => {
    const isThere = name !== 'hnswlib' || requireHnswlib() !== null;
    if (!isThere) console.error('hnswlib-node is not built: npm run build:hnswlib');
    return isThere;
  });
  const reports: Report[] = [];
  for (const name of names) reports.push(await inProcess(name));
  print(reports);
}

/** Another engine's memory must not be in the way. */
function inProcess(engine: EngineName): Promise<Report> {
  const script = fileURLToPath(import.meta.url);
  const args = [...process.execArgv, script, ...process.argv.slice(2), '--child', engine];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part));
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(JSON.parse(text) as Report);
      else reject(new Error(`${engine} ended with ${code}.`));
    });
  });
}

async function measure(engine: EngineName): Promise<void> {
  const photos = clusteredVectors('bench', shape);
  const queries = clusteredVectors('bench', {
    ...shape,
    count: Number(flags.queries),
    stream: 'queries',
  });
  const before = process.memoryUsage.rss();
  const options = { engine, dimensions: shape.dimensions, fingerprint: 'bench', expectedCount: 0 };
  const { index } = await createIndex(options);
  const buildSeconds = await seconds(() => index.add(photos.ids, photos.rows));
  const memoryMb = (process.memoryUsage.rss() - before) / 1e6;

  const efs = engine === 'exact' ? [DEFAULT_EF] : EFS;
  const truth = await answers(index, queries, { exact: true });
  const speeds: Record<number, Speed> = {};
  for (const ef of efs) speeds[ef] = await speedOf(index, queries, truth, { ef });
  const filtered: Record<number, Speed> = {};
  for (const part of PARTS) {
    const allow = photos.ids.filter((_, row) => (row * 0.618_034) % 1 < part);
    const allowedTruth = await answers(index, queries, { allow, exact: true });
    filtered[part] = await speedOf(index, queries, allowedTruth, { allow });
  }
  const idleP99Ms = await p99(index, queries);
  const addingP99Ms = await p99WhileAdding(index, queries);
  const snapshot = await timeSnapshot(index, options);
  await index.close();
  const speedsAndTimes = { speeds, filtered, idleP99Ms, addingP99Ms, ...snapshot };
  const report: Report = { engine, buildSeconds, memoryMb, ...speedsAndTimes };
  console.log(JSON.stringify(report));
}

async function answers(
  index: ThreadIndex,
  queries: Vectors,
  options: SearchOptions,
): Promise<readonly BigUint64Array[]> {
  const found: BigUint64Array[] = [];
  for (let row = 0; row < queries.count; row++) {
    found.push((await index.search(rowOf(queries, row), K, options)).ids);
  }
  return found;
}

/** The better of two rounds. */
async function speedOf(
  index: ThreadIndex,
  queries: Vectors,
  truth: readonly BigUint64Array[],
  options: SearchOptions,
): Promise<Speed> {
  const { path } = await index.search(rowOf(queries, 0), K, options);
  let found: readonly BigUint64Array[] = [];
  let best = Infinity;
  for (let round = 0; round < 2; round++) {
    const time = await seconds(async () => (found = await answers(index, queries, options)));
    best = Math.min(best, time);
  }
  const total = found.reduce(
    (sum, ids, i) => sum + recall(ids, truth[i] ?? new BigUint64Array(0)),
    0,
  );
  return { qps: queries.count / best, recall: total / queries.count, path };
}

async function p99(index: ThreadIndex, queries: Vectors): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < 500; i++) {
    const query = rowOf(queries, i % queries.count);
    times.push(1000 * (await seconds(() => index.search(query, K))));
  }
  return times.sort((a, b) => a - b)[Math.floor(times.length * 0.99)] ?? NaN;
}

async function p99WhileAdding(index: ThreadIndex, queries: Vectors): Promise<number> {
  const more = clusteredVectors('bench', {
    ...shape,
    count: Math.min(20_000, shape.count),
    stream: 'more',
    firstId: 2n,
  });
  const measuring = new AbortController();
  const adding = (async () => {
    for (let start = 0; start < more.count && !measuring.signal.aborted; start += 500) {
      const rows = more.rows.subarray(start * more.dimensions, (start + 500) * more.dimensions);
      await index.add(more.ids.subarray(start, start + 500), rows);
    }
  })();
  const measured = await p99(index, queries);
  measuring.abort();
  await adding;
  await index.remove(more.ids);
  return measured;
}

async function timeSnapshot(
  index: ThreadIndex,
  options: Parameters<typeof createIndex>[0],
): Promise<Pick<Report, 'snapshotMb' | 'saveSeconds' | 'openSeconds'>> {
  const folder = mkdtempSync(join(tmpdir(), 'sharelock-bench-'));
  try {
    const snapshot = join(folder, 'bench.index');
    const saveSeconds = await seconds(() => index.save(snapshot, 1n));
    const snapshotMb = statSync(snapshot).size / 1e6;
    const openSeconds = await seconds(async () => {
      await (await createIndex({ ...options, snapshot })).index.close();
    });
    return { snapshotMb, saveSeconds, openSeconds };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function seconds(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await run();
  return (performance.now() - start) / 1000;
}

/** The fastest setting that finds enough. */
function fastest(speeds: Report['speeds'], floor: number): { qps: number; ef: string } | null {
  const enough = Object.entries(speeds)
    .filter(([, speed]) => speed.recall >= floor)
    .map(([ef, { qps }]) => ({ qps, ef }));
  return enough.sort((a, b) => b.qps - a.qps)[0] ?? null;
}

function print(reports: readonly Report[]): void {
  const row = (what: string, cell: (report: Report) => string): string[] => [
    what,
    ...reports.map(cell),
  ];
  const at = (floor: number) => (report: Report) => {
    const found = fastest(report.speeds, floor);
    if (found === null) return 'not reached';
    return `${found.qps.toFixed(0)}${report.engine === 'exact' ? '' : ` (ef ${found.ef})`}`;
  };
  const hnswlib = reports.find(({ engine }) => engine === 'hnswlib');
  const ratio = (value: (report: Report) => number) => (report: Report) =>
    hnswlib === undefined ? '-' : (value(report) / value(hnswlib)).toFixed(2);
  const speed = ({ qps, recall: found, path }: Speed): string =>
    `${qps.toFixed(0)} / ${found.toFixed(3)} ${path}`;
  const default_ = (report: Report): string => {
    const found = report.speeds[DEFAULT_EF];
    return found === undefined ? '-' : speed(found);
  };
  const table = [
    row('', ({ engine }) => engine),
    row('QPS at recall@10 ≥ 0.95', at(0.95)),
    row('QPS at recall@10 ≥ 0.99', at(0.99)),
    row(`QPS / recall at the default ef, ${DEFAULT_EF}`, default_),
    ...PARTS.map((part) =>
      row(`QPS / recall, ${part * 100} % allowed`, ({ filtered }) => {
        const found = filtered[part];
        return found === undefined ? '-' : speed(found);
      }),
    ),
    row('build, s', ({ buildSeconds }) => buildSeconds.toFixed(1)),
    row('memory, MB', ({ memoryMb }) => memoryMb.toFixed(0)),
    row('snapshot, MB', ({ snapshotMb }) => snapshotMb.toFixed(0)),
    row('save / open a snapshot, s', ({ saveSeconds, openSeconds }) =>
      [saveSeconds, openSeconds].map((value) => value.toFixed(2)).join(' / '),
    ),
    row('search p99 idle / adding, ms', ({ idleP99Ms, addingP99Ms }) =>
      [idleP99Ms, addingP99Ms].map((value) => value.toFixed(1)).join(' / '),
    ),
    row('p99 adding ÷ idle', ({ idleP99Ms, addingP99Ms }) => (addingP99Ms / idleP99Ms).toFixed(1)),
    row(
      'QPS at 0.95 ÷ hnswlib',
      ratio(({ speeds }) => fastest(speeds, 0.95)?.qps ?? NaN),
    ),
    row(
      'QPS at 0.99 ÷ hnswlib',
      ratio(({ speeds }) => fastest(speeds, 0.99)?.qps ?? NaN),
    ),
    row(
      'build time ÷ hnswlib',
      ratio(({ buildSeconds }) => buildSeconds),
    ),
    row(
      'memory ÷ hnswlib',
      ratio(({ memoryMb }) => memoryMb),
    ),
  ];
  console.log(`${shape.count} vectors of ${shape.dimensions}\n\n${formatTable(table)}`);
  const json = JSON.stringify({ cores: availableParallelism(), shape, reports }, null, 2);
  if (flags.json === undefined) console.log(json);
  else writeFileSync(flags.json, `${json}\n`);
}
