/**
 * Reindexes a collection into another vision space while clients search, upload and delete:
 *
 *     npm run proof:reindex -- [--photos N] [--dataset DIR] [--equal-priority]
 *
 * No search may fail, come back empty or name an image twice; no upload may be lost or doubled; two API processes must show each switch
 * within a second; `sharelock verify` must be content. Ends with exit 1 and a line for each thing that didn't show. `--dataset` has
 * captions.jsonl and images; it defaults to `flickr8k` of SHARELOCK_DATA, or the sample photos. Indexers run at a lower priority than
 * servers, and on a machine that others use too never have their turn: `--equal-priority` then.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { formatTable } from '../../bin/table.ts';
import { judge, searchRows, switchRows } from '../support/load/reindex-evidence.ts';
import { reindexUnderLoad, type Evidence } from '../support/load/reindex-under-load.ts';

const ROOT = join(import.meta.dirname, '../..');

const LINE = z.object({
  image: z.string(),
  captions: z.array(z.string()).optional(),
  title: z.string().optional(),
});

const { values: flags } = parseArgs({
  options: {
    photos: { type: 'string', default: '5000' },
    'equal-priority': { type: 'boolean', default: false },
    dataset: { type: 'string', default: defaultDataset() },
  },
});

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    stop.abort();
  });
}
const folder = await mkdtemp(join(tmpdir(), 'sharelock-reindex-'));
try {
  const { photos, texts } = await readDataset(flags.dataset);
  const url = process.env['DATABASE_URL'];
  const evidence = await reindexUnderLoad({
    ...{ folder, texts, photos: photos.slice(0, Number(flags.photos)) },
    server: url === undefined || url === '' ? null : url,
    ...{ bundle: join(ROOT, 'models/bundles/default'), dimensions: 256 },
    ...{ searchesPerSecond: 20, uploadEveryMs: 2000, quietMs: 15_000 },
    ...{ timeoutMs: 10_000, mostOpen: Infinity },
    ...{ isWorkerEqual: flags['equal-priority'], signal: stop.signal },
    log: (line) => {
      console.log(`${new Date().toISOString().slice(11, 19)} ${line}`);
    },
  });
  report(evidence);
} finally {
  await rm(folder, { recursive: true, force: true });
}

function defaultDataset(): string {
  const data = process.env['SHARELOCK_DATA'];
  return data === undefined || data === '' ? join(ROOT, 'samples/photos') : join(data, 'flickr8k');
}

interface Dataset {
  readonly photos: readonly string[];
  readonly texts: readonly string[];
}

async function readDataset(from: string): Promise<Dataset> {
  const captions = join(from, 'captions.jsonl');
  const text = await readFile(existsSync(captions) ? captions : join(from, 'index.jsonl'), 'utf8');
  const lines = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => LINE.parse(JSON.parse(line)));
  const perPhoto = lines.map(({ captions: some, title = '' }) => some ?? titled(title));
  const most = Math.max(...perPhoto.map(({ length }) => length));
  const inTurn = Array.from({ length: most }, (_, i) => perPhoto.map((texts) => texts[i] ?? ''));
  return {
    photos: lines.map(({ image }) => join(from, image)),
    texts: inTurn.flat().filter((one) => one !== ''),
  };
}

/** Where photos have only titles: enough texts that few are asked twice. */
function titled(title: string): readonly string[] {
  return ['', 'a photo of ', 'a picture of ', 'this is ', 'somebody took '].map(
    (beginning) => `${beginning}${title}`,
  );
}

function report(evidence: Evidence): void {
  const { photos, seconds, uploads, images, generations, complaints } = evidence;
  console.log(
    `${photos} photos: ingest ${seconds.ingest.toFixed(1)} s, reindex ${seconds.reindex.toFixed(1)} s`,
  );
  console.log(formatTable(searchRows(evidence)));
  console.log(formatTable(switchRows(evidence)));
  const present = images.filter(({ path }) => path.startsWith('uploads/')).length;
  console.log(
    `uploads: ${uploads.acknowledged.length} acknowledged, ${uploads.deleted.length} deleted again, ` +
      `${present} there; images: ${images.length}; ` +
      generations
        .map(({ number, state, images: n }) => `generation ${number} ${state} ${n}`)
        .join(', '),
  );
  console.log(evidence.verify.output);
  for (const line of complaints.slice(0, 50)) console.log(`log: ${line}`);
  const faults = judge(evidence);
  for (const fault of faults) console.error(`FAULT ${fault}`);
  console.log(faults.length === 0 ? 'All of it shows.' : `${faults.length} faults`);
  process.exitCode = faults.length === 0 ? 0 : 1;
}
