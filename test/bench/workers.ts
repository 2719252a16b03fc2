/**
 * What the ledger costs, and what a second worker brings:
 *
 *     npm run bench:workers -- [--photos N] [--rounds N] [--ms-per-photo N] [--dataset DIR]
 *
 * - 2 workers ÷ 1: a job that an encoder of fixed speed holds up, done by one process and by two, taking turns; no photo may be encoded twice
 * - ledger ÷ embedding: time of the statements that claim, complete, extend and plan items in batches that do nothing, against decoding
 *   and encoding as many photos with the default bundle; and the same statements while that goes on
 *
 * Uses a database of its own on DATABASE_URL's server, or an embedded one. `--dataset` is a folder of photos; default: flickr8k of
 * SHARELOCK_DATA, or the samples.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { formatTable } from '../../bin/table.ts';
import { Closers } from '../../platform/closers.ts';
import { Database } from '../../store/database.ts';
import { migrate } from '../../store/migrate.ts';
import { createOwnDatabase } from '../support/load/own-database.ts';
import type { Bench, Row } from './workers/bench.ts';
import { measureLedger } from './workers/ledger-share.ts';
import { measureScaling } from './workers/scaling.ts';

const { values: flags } = parseArgs({
  options: {
    photos: { type: 'string', default: '600' },
    rounds: { type: 'string', default: '3' },
    'ms-per-photo': { type: 'string', default: '30' },
    dataset: { type: 'string', default: defaultDataset() },
  },
});

const closers = new Closers();
try {
  const folder = await mkdtemp(join(tmpdir(), 'sharelock-workers-'));
  closers.add(() => rm(folder, { recursive: true, force: true }));
  const server = process.env['DATABASE_URL'];
  const isEmbedded = server === undefined || server === '';
  const url = isEmbedded ? null : await createOwnDatabase(server, closers);
  const dataFolder = join(folder, 'data');
  await mkdir(dataFolder);
  const database = await Database.open({ url, dataFolder });
  closers.add(() => database.close());
  await migrate(database.pool);
  const bench: Bench = {
    ...{ database, folder, dataFolder, photos: Number(flags.photos) },
    ...{ rounds: Number(flags.rounds), msPerPhoto: Number(flags['ms-per-photo']) },
    dataset: flags.dataset,
  };
  const rows: Row[] = [...(await measureScaling(bench)), ...(await measureLedger(bench))];
  print(rows);
} finally {
  await closers.close();
}

function defaultDataset(): string {
  const data = process.env['SHARELOCK_DATA'];
  return data === undefined || data === ''
    ? join(import.meta.dirname, '../../samples/photos/images')
    : join(data, 'flickr8k/images');
}

function print(rows: readonly Row[]): void {
  const table = rows.map(({ what, value, goal }) => {
    if (goal === undefined) return [what, value.toFixed(3), '', ''];
    const [sign, bound] = goal;
    const isMet = sign === '≥' ? value >= bound : value <= bound;
    if (!isMet) process.exitCode = 1;
    return [what, value.toFixed(3), `${sign} ${bound}`, isMet ? 'met' : 'missed'];
  });
  console.log(formatTable([['', 'measured', 'goal', ''], ...table]));
}
