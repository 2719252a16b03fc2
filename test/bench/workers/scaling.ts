import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import sharp from 'sharp';
import { Random } from '../../../platform/random.ts';
import type { CollectionId } from '../../../store/ids.ts';
import { findJob } from '../../../store/jobs.ts';
import { empty, ingest, median, newSource, type Bench, type Row } from './bench.ts';
import { SlowModels } from './slow-models.ts';

const WORKER = join(import.meta.dirname, 'worker-process.ts');
const SIDE = 32;
const LOOK_EVERY_MS = 20;

/** How much faster two processes do what one does; and that nothing is done twice. */
export async function measureScaling(bench: Bench): Promise<readonly Row[]> {
  const folder = join(bench.folder, 'noise');
  await writeNoise(folder, bench.photos);
  const { main } = await SlowModels.open(0);
  const collectionId = await newSource(bench, main, { name: 'scaling', folder });
  const ratios: number[] = [];
  const seconds: Record<1 | 2, number[]> = { 1: [], 2: [] };
  for (let round = 0; round < bench.rounds; round++) {
    for (const workers of [1, 2] as const) {
      seconds[workers].push(await ingestWith(bench, workers, collectionId));
    }
    ratios.push((seconds[1].at(-1) ?? NaN) / (seconds[2].at(-1) ?? NaN));
  }
  const bound = (bench.photos * bench.msPerPhoto) / 1000;
  return [
    { what: 'seconds, one encoder alone', value: bound },
    { what: 'seconds, 1 worker', value: median(seconds[1]) },
    { what: 'seconds, 2 workers', value: median(seconds[2]) },
    { what: '2 workers ÷ 1', value: median(ratios), goal: ['≥', 1.7] },
  ];
}

/** Pictures that are quick to decode, all of them different. */
async function writeNoise(folder: string, count: number): Promise<void> {
  await mkdir(folder);
  const random = new Random('noise');
  const raw = { width: SIDE, height: SIDE, channels: 3 } as const;
  for (let i = 0; i < count; i++) {
    const pixels = random.bytes(SIDE * SIDE * 3);
    await sharp(pixels, { raw })
      .png()
      .toFile(join(folder, `${i}.png`));
  }
}

/** Seconds from the job's making to its end. Throws when an item was done twice, or not at all. */
async function ingestWith(
  bench: Bench,
  workers: 1 | 2,
  collectionId: CollectionId,
): Promise<number> {
  await empty(bench);
  const env = {
    ...process.env,
    ...{ DATABASE_URL: bench.database.url, DATA_DIR: bench.dataFolder },
    MS_PER_PHOTO: String(bench.msPerPhoto),
  };
  const processes = Array.from({ length: workers }, () =>
    fork(WORKER, { env, execArgv: ['--import', 'tsx'] }),
  );
  try {
    await Promise.all(processes.map((one) => once(one, 'message'))); // ready
    const startedAt = performance.now();
    const { id } = await ingest(bench, collectionId);
    let state: string | undefined;
    while (state !== 'SUCCEEDED') {
      await pause(LOOK_EVERY_MS);
      state = (await findJob(bench.database.prisma, id))?.state;
    }
    const seconds = (performance.now() - startedAt) / 1000;
    const encodings = await Promise.all(processes.map(endAndCount));
    checkOnce(bench, encodings);
    return seconds;
  } finally {
    for (const one of processes) if (one.exitCode === null) one.kill();
  }
}

type Encodings = readonly (readonly [string, number])[];

async function endAndCount(worker: ChildProcess): Promise<Encodings> {
  worker.send('end');
  const [encodings] = (await once(worker, 'message')) as [Encodings];
  await once(worker, 'exit');
  return encodings;
}

function checkOnce({ photos }: Bench, encodings: readonly Encodings[]): void {
  const shares = encodings.map((of) => of.reduce((sum, [, times]) => sum + times, 0));
  const different = new Set(encodings.flatMap((of) => of.map(([hash]) => hash)));
  const encoded = shares.reduce((sum, share) => sum + share, 0);
  console.log(`encoded: ${shares.join(' + ')}, ${different.size} different photos of ${photos}`);
  if (encoded !== photos || different.size !== photos) {
    throw new Error('Each photo must be encoded once.');
  }
}
