/**
 * How far probabilities and reports can be trusted after some clicks:
 *
 *     npm run bench:reviews -- --dataset DIR [--split dev] [--photos 1000] [--labels 30] [--clicks 50] [--json FILE]
 *
 * Photos with captions are tagged with nouns; a simulated reviewer who knows the captions follows the review queue in its usual order.
 * Then, over ALL photos: the expected calibration error of each label, and whether the true precision
 * of its tags lies in the interval that the report gives. Works in a database of its own on DATABASE_URL's server, or an embedded one.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { formatTable } from '../../bin/table.ts';
import { openServices } from '../../indexer/services.ts';
import { Closers } from '../../platform/closers.ts';
import { createLogger } from '../../platform/logger.ts';
import { embedLabelled } from '../support/captioned-embeddings.ts';
import { createOwnDatabase } from '../support/load/own-database.ts';
import {
  simulateReviews,
  type ReviewedLabel,
  type ReviewedRun,
} from '../support/simulated-reviewer.ts';

const { values: flags } = parseArgs({
  options: {
    dataset: { type: 'string' },
    split: { type: 'string', default: 'dev' },
    photos: { type: 'string', default: '1000' },
    labels: { type: 'string', default: '30' },
    clicks: { type: 'string', default: '50' },
    json: { type: 'string' },
  },
});
if (flags.dataset === undefined)
  throw new Error('Give --dataset DIR, a folder with captions.jsonl.');

const BUNDLE = join(import.meta.dirname, '../../models/bundles/default');
/** What a label's calibration error may be, and the share of labels whose interval must hold the truth. */
const GOALS = { error: 0.08, inside: 0.9 } as const;

const closers = new Closers();
const dataFolder = await mkdtemp(join(tmpdir(), 'sharelock-bench-'));
closers.add(() => rm(dataFolder, { recursive: true, force: true }));
try {
  const server = process.env['DATABASE_URL'];
  const databaseUrl = server ? await createOwnDatabase(server, closers) : null;
  const config = {
    ...{
      dataFolder,
      databaseUrl,
      bundleFolder: BUNDLE,
      bundlesFolder: join(dataFolder, 'bundles'),
    },
    ...{ writesSidecars: false, mediaRoots: null, sessions: null, engine: 'auto' as const },
  };
  const services = await openServices(config, {
    closers,
    logger: createLogger({ level: 'error' }),
  });
  const { dataset, split } = flags;
  const photos = await embedLabelled({ dataset, split, limit: Number(flags.photos) });
  const shown = photos.labels.map(
    (_, place) => photos.photos.filter((one) => one.shows[place]).length,
  );
  // The most frequent: of the others there is little to be right or wrong about.
  const labels = [...shown.keys()]
    .sort((a, b) => (shown[b] ?? 0) - (shown[a] ?? 0))
    .slice(0, Number(flags.labels));
  const reviewed = await simulateReviews(services, photos, {
    labels,
    clicks: Number(flags.clicks),
  });
  print(reviewed);
  if (flags.json !== undefined) await writeFile(flags.json, JSON.stringify(reviewed));
} finally {
  await closers.close();
}

function print(reviewed: readonly ReviewedLabel[]): void {
  const rows = reviewed.map(({ label, shown, errorBefore, errorAfter, runs }) => [
    ...[label, String(shown), errorBefore.toFixed(3), errorAfter.toFixed(3)],
    ...runs.flatMap((run) => [String(run.reported.count), truth(run), told(run), recall(run)]),
  ]);
  const run = ['tags', 'precision', 'reported', 'recall: reported'];
  const heading = ['label', 'shown', 'error before', 'after', ...run, ...run];
  process.stdout.write(formatTable([heading, ...rows]));
  const errors = reviewed.map(({ errorAfter }) => errorAfter);
  const good = errors.filter((error) => error <= GOALS.error).length;
  const lines = [
    `calibration error over all photos: mean ${mean(reviewed.map((one) => one.errorBefore))} before, ${mean(errors)} after; at most ${GOALS.error} in ${good} of ${errors.length} labels`,
    ...[0, 1].map((number) => insideLine(reviewed, number)),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

function insideLine(reviewed: readonly ReviewedLabel[], number: number): string {
  const runs = reviewed.flatMap(({ runs }) => runs[number] ?? []);
  const known = runs.filter(
    ({ precision, reported }) => precision !== null && reported.precision.value !== null,
  );
  const inside = known.filter(
    ({
      precision,
      reported: {
        precision: { low, high },
      },
    }) => isIn(precision ?? 0, low, high),
  );
  const recalls = runs.flatMap(({ recall, reported }) =>
    reported.recall ? [{ recall, ...reported.recall }] : [],
  );
  const recalled = recalls.filter(({ recall, low, high }) => isIn(recall, low, high));
  const width = mean(
    known.map(
      ({
        reported: {
          precision: { low, high },
        },
      }) => high - low,
    ),
  );
  return `run ${number + 1}: the true precision is in the interval of ${inside.length} of ${known.length} labels (goal ${GOALS.inside}; intervals ${width} wide), the true recall of ${recalled.length} of ${recalls.length}`;
}

/** Shares of whole numbers, give or take rounding. */
function isIn(value: number, low: number, high: number): boolean {
  return value >= low - 1e-9 && value <= high + 1e-9;
}

function truth({ precision }: ReviewedRun): string {
  return precision === null ? '-' : precision.toFixed(2);
}

function told({
  precision,
  reported: {
    precision: { value, low, high },
  },
}: ReviewedRun): string {
  const mark = precision === null || value === null || isIn(precision, low, high) ? '' : ' !';
  return value === null ? '-' : `${value.toFixed(2)} (${low.toFixed(2)}-${high.toFixed(2)})${mark}`;
}

function recall({ recall: value, reported }: ReviewedRun): string {
  const { recall: told } = reported;
  const range = told
    ? `${told.value?.toFixed(2) ?? ''} (${told.low.toFixed(2)}-${told.high.toFixed(2)})`
    : '-';
  return `${value.toFixed(2)}: ${range}`;
}

function mean(values: readonly number[]): string {
  return (values.reduce((sum, value) => sum + value, 0) / values.length).toFixed(3);
}
