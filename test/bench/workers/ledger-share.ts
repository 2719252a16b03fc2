import { randomUUID } from 'node:crypto';
import { copyFile, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { parseConfig } from '../../../indexer/config.ts';
import { defineJob } from '../../../indexer/jobs/define-job.ts';
import { JOB_KINDS, type JobServices } from '../../../indexer/jobs/index.ts';
import { JobRunner } from '../../../indexer/jobs/runner.ts';
import { openServices } from '../../../indexer/services.ts';
import { ImageEncoder } from '../../../models/image-encoder.ts';
import { Closers } from '../../../platform/closers.ts';
import { createLogger } from '../../../platform/logger.ts';
import { addItems, type Outcome } from '../../../store/job-items.ts';
import { createJob, type JobRecord } from '../../../store/jobs.ts';
import { empty, ingest, median, newSource, type Bench, type Row } from './bench.ts';
import { StatementTimes, type LedgerPart } from './statement-times.ts';

const WRITES: readonly LedgerPart[] = ['plan', 'claim', 'complete', 'extend'];
const INGEST = JOB_KINDS.filter(({ kind }) => kind === 'INGEST');
const BATCH_SIZE = INGEST[0]?.batchSize ?? 32;
const logger = createLogger({ level: 'warn' });

/**
 * What the ledger's statements take, against what embedding takes: each with the machine to itself, the ledger with batches as an ingest
 * claims them that do nothing. While both compete for the same cores a statement's time is mostly its waiting for the encoder; that is shown, too.
 */
export async function measureLedger(bench: Bench): Promise<readonly Row[]> {
  const closers = new Closers();
  try {
    const { database, dataFolder } = bench;
    const folder = join(bench.folder, 'photos');
    const files = await copyPhotos(bench, folder);
    const config = parseConfig({ DATA_DIR: dataFolder, DATABASE_URL: database.url });
    const services = await openServices(config, { closers, logger });
    const times = new StatementTimes(services.database.pool);
    const ours = await newSource(bench, services.models.main, { name: 'ledger', folder });
    const embedMs = await embedAlone(services, files, closers, bench.rounds);
    const busy = await rounds(bench, services, times, () => ingest(bench, ours));
    const alone = await rounds(bench, services, times, () => nothing(bench, files.length));
    return [
      { what: 'ms a photo, embedding', value: embedMs },
      ...rowsOf('while embedding', busy, files.length),
      ...rowsOf('alone', alone, files.length),
      {
        what: 'ledger writes ÷ embedding, each alone',
        value: writes(alone, files.length) / embedMs,
        goal: ['≤', 0.015],
      },
      {
        ...{ what: 'ledger writes while embedding ÷ embedding' },
        value: writes(busy, files.length) / embedMs,
      },
    ];
  } finally {
    await closers.close();
  }
}

async function copyPhotos({ dataset, photos }: Bench, into: string): Promise<readonly string[]> {
  await mkdir(into);
  const names = (await readdir(dataset)).filter((name) => name.endsWith('.jpg')).slice(0, photos);
  for (const name of names) await copyFile(join(dataset, name), join(into, name));
  return names.map((name) => join(into, name));
}

/** Milliseconds a photo, from its file to its embedding, with all of the encoder's sessions. */
async function embedAlone(
  { models }: JobServices,
  files: readonly string[],
  closers: Closers,
  count: number,
): Promise<number> {
  const encoder = await ImageEncoder.load(models.main);
  closers.add(() => encoder.dispose());
  const perPhoto: number[] = [];
  for (let round = 0; round < count; round++) {
    const startedAt = performance.now();
    await encoder.encodeAll(files.map((image) => ({ image })));
    perPhoto.push((performance.now() - startedAt) / files.length);
  }
  return median(perPhoto);
}

/** As large as an ingest's batches, one at a time: they would only wait for each other. */
const idle = defineJob<{ items: number }, JobServices>({
  kind: 'SNAPSHOT',
  input: z.object({ items: z.int() }),
  batchSize: BATCH_SIZE,
  lanes: 1,
  isDryRun: () => false,
  plan: async ({ items }, { database }, { jobId }) => {
    const keys = Array.from({ length: items }, (_, i) => `src/photo ${i}.jpg`);
    const payload = { task: 'read', sourceId: randomUUID() };
    await addItems(
      database.pool,
      jobId,
      keys.map((key) => ({ key, payload })),
    );
    return {};
  },
  run: (_input, items) => {
    const outcome: Outcome = { kind: 'done', reasonCode: 'EMBEDDED' };
    return Promise.resolve(() => Promise.resolve(new Map(items.map(({ id }) => [id, outcome]))));
  },
  summarize: () => Promise.resolve({}),
});

function nothing({ database }: Bench, items: number): Promise<JobRecord> {
  return createJob(database.prisma, {
    ...{ kind: 'SNAPSHOT', collectionId: null, input: { items } },
    ...{ createdBy: 'bench', now: new Date() },
  });
}

type Times = Pick<StatementTimes, 'ms' | 'count'>;

/** The round with the median time of writes. */
async function rounds(
  bench: Bench,
  services: JobServices,
  times: StatementTimes,
  start: () => Promise<JobRecord>,
): Promise<Times> {
  const all: Times[] = [];
  for (let round = 0; round <= bench.rounds; round++) {
    await empty(bench);
    times.reset();
    const { id } = await start();
    const { database } = services;
    const runner = new JobRunner({ kinds: [...INGEST, idle], database, services, logger });
    await runner.runJob(id, new AbortController().signal);
    if (round > 0) all.push({ ms: { ...times.ms }, count: { ...times.count } }); // the first warms up
  }
  all.sort((a, b) => writes(a, 1) - writes(b, 1));
  const middle = all[Math.floor(all.length / 2)];
  if (middle === undefined) throw new Error('There must be a round.');
  return middle;
}

function writes({ ms }: Times, photos: number): number {
  return WRITES.reduce((sum, part) => sum + ms[part], 0) / photos;
}

function rowsOf(when: string, { ms, count }: Times, photos: number): readonly Row[] {
  return [...WRITES, 'look' as const].map((part) => ({
    what: `ms a photo, ledger: ${part} (${count[part]} statements), ${when}`,
    value: ms[part] / photos,
  }));
}
