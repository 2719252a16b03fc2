/**
 * Kills workers, the API and Postgres at random moments (kill -9) while photos are indexed, reindexed, uploaded and deleted:
 *
 *     npm run faults:all -- [--kills N] [--photos N] [--seed N] [--folder DIR]
 *
 * After each kill, when all are up again, everything must be as `verify` wants it; in the end no photo, upload, deletion or job
 * may be lost, no item failed, and no more work done twice than a batch a kill. `--folder` defaults to `flickr8k/images` of
 * SHARELOCK_DATA, or the samples. Needs nothing: Postgres is one of the script's own.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { messageOf } from '../../platform/errors.ts';
import { killEverything } from './kill-everything/kill-everything.ts';

const ROOT = join(import.meta.dirname, '../..');
/** Photos of a batch, of each kind of job. */
const BATCH_SIZE = 32;

const { values: flags } = parseArgs({
  options: {
    kills: { type: 'string', default: '50' },
    photos: { type: 'string', default: '1000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    folder: { type: 'string', default: defaultFolder() },
  },
});
console.log(`seed ${flags.seed}`);

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    stop.abort(new Error(signal));
  });
}
try {
  const report = await killEverything({
    ...{ kills: Number(flags.kills), photos: Number(flags.photos), seed: flags.seed },
    ...{ from: flags.folder, bundle: join(ROOT, 'models/bundles/default'), widths: [256, 128] },
    ...{ betweenMs: [500, 6000], verifyEvery: 10, signal: stop.signal },
    print: (line) => {
      console.log(line);
    },
  });
  const most = BATCH_SIZE * report.kills;
  if (report.repeated > most) report.addFaults('end', [`more than ${most} photos embedded twice`]);
  for (const line of report.summary()) console.log(line);
  process.exitCode = report.faults.length === 0 ? 0 : 1;
} catch (error) {
  console.error(messageOf(error));
  process.exitCode = 1;
}

function defaultFolder(): string {
  const data = process.env['SHARELOCK_DATA'];
  const samples = join(ROOT, 'samples/photos/images');
  return data === undefined || data === '' ? samples : join(data, 'flickr8k', 'images');
}
