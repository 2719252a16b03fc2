/**
 * What tagging costs beside encoding:
 *
 *     npm run bench:tagging -- [--images N] [--labels N] [--prompts N]
 *
 * Images are rows with random vectors, so that nothing has to be decoded; labels have `--prompts` texts each, read by the default bundle.
 * Every image gets five tags. Prints seconds, rows, and how much the process grew at most while it tagged.
 *
 * Uses a database of its own on DATABASE_URL's server, or an embedded one.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { formatTable } from '../../bin/table.ts';
import { createSearchableCollection, registerBundle } from '../../indexer/collections.ts';
import { parseConfig } from '../../indexer/config.ts';
import { JOB_KINDS, type JobServices } from '../../indexer/jobs/index.ts';
import { JobRunner } from '../../indexer/jobs/runner.ts';
import { getTextModel } from '../../indexer/jobs/tag.ts';
import { openServices } from '../../indexer/services.ts';
import { previewRun } from '../../indexer/tagging/preview.ts';
import { prepareLabels } from '../../indexer/tagging/prepared-labels.ts';
import { resolveTarget, startRevert, startTagRun } from '../../indexer/tagging/start-run.ts';
import { Closers } from '../../platform/closers.ts';
import { createLogger } from '../../platform/logger.ts';
import type { JobRecord } from '../../store/jobs.ts';
import { putVocabulary } from '../../store/put-vocabulary.ts';
import { findTagRunsOfJobs, type TagRunRecord } from '../../store/tag-runs.ts';
import { readLabels } from '../../store/vocabulary-labels.ts';
import type { VocabularyRecord } from '../../store/vocabularies.ts';
import { createOwnDatabase } from '../support/load/own-database.ts';
import { addVectorImages } from '../support/vector-images.ts';

const { values: flags } = parseArgs({
  options: {
    images: { type: 'string', default: '100000' },
    labels: { type: 'string', default: '1000' },
    prompts: { type: 'string', default: '5' },
  },
});
const [images, labelCount] = [Number(flags.images), Number(flags.labels)];
const never = new AbortController().signal;

const closers = new Closers();
const table: string[][] = [['', 'seconds', '']];
try {
  const services = await open();
  const { database } = services;
  const { pool } = database;
  const { visionSpace } = await registerBundle(database, services.models.main);
  const collection = await createSearchableCollection(database, services.models.main, {
    name: 'bench',
  });
  const key = { collectionId: collection.id, visionSpaceId: visionSpace.id };
  await addVectorImages(database, key, { count: images, dimensions: visionSpace.dimensions });
  await pool.query('ANALYZE');
  const vocabulary = await addLabels(services);
  const request = {
    ...{ collectionId: collection.id, vocabulary, version: null },
    options: { maxTagsPerImage: 5, minTagsPerImage: 5, minProbability: 0.5, filter: {} },
  };
  const target = await resolveTarget(database, request);
  const texts = await getTextModel(services, target.textModelId);
  await texts.encode(['a photo']); // loads the model
  const labels = await readLabels(pool, target);
  const ofModel = { db: pool, texts, ...target };
  await timed('encode the labels', `${labelCount} x ${flags.prompts} texts`, () =>
    prepareLabels(ofModel, labels),
  );
  await timed('the same again', 'from the database', () => prepareLabels(ofModel, labels));
  await timed('preview', `${images} images x ${labelCount} labels`, () =>
    previewRun({ pool, texts }, target, labels, request.options),
  );
  const asker = { createdBy: 'bench', idempotencyKey: null };
  const job = await startTagRun(database, request, { ...asker, now: new Date() });
  const growth = watchGrowth();
  await timed('run, plan and all', '', () => work(services, job));
  const megabytes = growth();
  const run = await runOf(services, job);
  table.push(['', '', `${run.tagCount} tags, grew by ${megabytes} MB`]);
  const revert = await startRevert(database, run, { ...asker, now: new Date() });
  await timed('revert', `${run.tagCount} rows deleted`, () => work(services, revert));
  process.stdout.write(formatTable(table));
} finally {
  await closers.close();
}

async function open(): Promise<JobServices> {
  const folder = await mkdtemp(join(tmpdir(), 'sharelock-tagging-'));
  closers.add(() => rm(folder, { recursive: true, force: true }));
  const dataFolder = join(folder, 'data');
  await mkdir(dataFolder);
  const server = process.env['DATABASE_URL'] ?? '';
  const url = server === '' ? {} : { DATABASE_URL: await createOwnDatabase(server, closers) };
  const logger = createLogger({ level: 'error' });
  return openServices(parseConfig({ DATA_DIR: dataFolder, ...url }), { closers, logger });
}

async function timed(what: string, about: string, work: () => Promise<unknown>): Promise<void> {
  const start = performance.now();
  await work();
  table.push([what, ((performance.now() - start) / 1000).toFixed(1), about]);
}

async function addLabels({ database: { pool } }: JobServices): Promise<VocabularyRecord> {
  const { vocabulary } = await putVocabulary(pool, {
    ...{ name: 'bench', description: null, ifVersion: null, createdBy: 'bench', now: new Date() },
    labels: Array.from({ length: labelCount }, (_, i) => ({
      ...{ name: `thing ${i}`, negativePrompts: [], exampleImageIds: [] },
      ...{ threshold: null, parents: [] },
      prompts: Array.from(
        { length: Number(flags.prompts) },
        (__, j) => `a photo of thing ${i} with ${j} others`,
      ),
    })),
  });
  return vocabulary;
}

async function work(services: JobServices, { id }: JobRecord): Promise<void> {
  const logger = createLogger({ level: 'error' });
  const { database } = services;
  const runner = new JobRunner({ kinds: JOB_KINDS, database, services, logger });
  const { state, result } = await runner.runJob(id, never);
  if (state !== 'SUCCEEDED') throw new Error(`The job ended ${state}: ${JSON.stringify(result)}`);
}

async function runOf({ database }: JobServices, { id }: JobRecord): Promise<TagRunRecord> {
  const run = (await findTagRunsOfJobs(database.pool, [id])).get(id);
  if (run?.state === 'APPLIED') return run;
  throw new Error('The run was not applied.');
}

/** Gives a function that ends it and tells by how many MB the process grew at most. */
function watchGrowth(): () => number {
  const start = process.memoryUsage.rss();
  let most = start;
  const timer = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss());
  }, 20);
  return () => {
    clearInterval(timer);
    return Math.round((most - start) / 1e6);
  };
}
