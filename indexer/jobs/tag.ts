import { PlatformError } from '../../platform/errors.ts';
import type { Models } from '../../models/loaded-models.ts';
import type { Database } from '../../store/database.ts';
import { asImageId, type JobId, type TextModelId } from '../../store/ids.ts';
import { isEmptyFilter } from '../../store/image-query.ts';
import type { ImageRange } from '../../store/image-ranges.ts';
import { addItems, type ClaimedItem, type Outcome } from '../../store/job-items.ts';
import { countItems } from '../../store/job-progress.ts';
import { hasOpenItems } from '../../store/ledger.ts';
import { listTextModels } from '../../store/model-registry.ts';
import { keepImages } from '../../store/run-tags.ts';
import { applyTagRun } from '../../store/tag-run-switch.ts';
import { findTagRunsOfJobs, type TagRunRecord } from '../../store/tag-runs.ts';
import { readLabels } from '../../store/vocabulary-labels.ts';
import { prepareRun, withRates } from '../tagging/prepare-run.ts';
import type { LabelEncoder } from '../tagging/prepared-labels.ts';
import { readOptions } from '../tagging/run-request.ts';
import { ensureRunOf } from '../tagging/start-run.ts';
import { commitRange, type ChosenRange } from '../tagging/commit-range.ts';
import { fixRun, RunScorer } from '../tagging/run-scorer.ts';
import { defineJob, type Commit, type Work } from './define-job.ts';
import { tagInput, tagItem, type TagInput, type TagItem } from './tag-input.ts';

export interface TagServices {
  readonly database: Database;
  readonly models: Pick<Models, 'findText'>;
}

/** The last item: it waits for all others. */
const APPLY: TagItem & { readonly task: 'apply' } = { task: 'apply', path: 'apply' };
const ITEMS_A_STATEMENT = 1000;

/**
 * Tags a collection's images. Planning fixes what the run goes by; an item is a range of images, and the last one applies the run, when
 * all others are done and none failed. Until then nobody sees anything of it.
 *
 * The run keeps to the generation and the text model it began with. When another becomes live meanwhile it is applied all the same, and
 * is stale: what it found is as good as it was, and running again is a person's decision. When its own is discarded, it fails.
 */
export const tag = defineJob<TagInput, TagServices>({
  kind: 'TAG',
  input: tagInput,
  batchSize: 2,
  lanes: 2,
  isDryRun: () => false,
  plan,
  run,
  summarize: (_input, { database }, jobId) => summarize(database, jobId),
});

async function plan(input: TagInput, services: TagServices, work: Work): Promise<object> {
  const { database, models } = services;
  const { pool } = database;
  const run = await ensureRunOf(database, work.job, input);
  const labels = await readLabels(pool, input);
  const texts = await getTextModel({ database, models }, input.textModelId);
  const options = { ...readOptions(input.options), signal: work.signal, isKept: true };
  const prepared = await prepareRun({ pool, texts }, input, labels, options);
  await fixRun(pool, run, prepared, await withRates(pool, prepared, options));
  await addRanges(database, work.jobId, prepared.ranges);
  const files = prepared.ranges.reduce((sum, { count }) => sum + count, 0);
  return { tagRunId: run.id, files, labels: labels.length };
}

async function addRanges(
  { pool }: Database,
  jobId: JobId,
  ranges: readonly ImageRange[],
): Promise<void> {
  const items = ranges.map(({ number, from, to }) => {
    const path = `images ${from} to ${to}`;
    const payload: TagItem = { task: 'range', number, from: `${from}`, to: `${to}`, path };
    return { key: `range ${number}`, payload };
  });
  for (let start = 0; start < items.length; start += ITEMS_A_STATEMENT) {
    await addItems(pool, jobId, items.slice(start, start + ITEMS_A_STATEMENT));
  }
  await addItems(pool, jobId, [{ key: APPLY.task, payload: APPLY }]);
}

/** Throws `MODEL_MISMATCH` when no bundle here has it. */
export async function getTextModel(
  { database, models }: TagServices,
  id: TextModelId,
): Promise<LabelEncoder> {
  const row = (await listTextModels(database.prisma)).find((one) => one.id === id);
  const found = row === undefined ? null : await models.findText(row.fingerprint);
  if (found !== null) return found;
  const name = row === undefined ? id : `${row.name}@${row.version}`;
  const message = `No model bundle here has the text model ${name}: name it (MODEL_BUNDLE), or put it into BUNDLES_DIR.`;
  throw new PlatformError('MODEL_MISMATCH', message);
}

const GONE: Outcome = {
  kind: 'failed',
  reasonCode: 'RUN_GONE',
  message: 'The run was given up, or the generation it was over was discarded: start another run.',
};

async function run(
  input: TagInput,
  items: readonly ClaimedItem[],
  services: TagServices,
  work: Work,
): Promise<Commit> {
  const tagRun = (await findTagRunsOfJobs(services.database.pool, [work.jobId])).get(work.jobId);
  if (tagRun?.state !== 'BUILDING') {
    return () => Promise.resolve(new Map(items.map(({ id }) => [id, GONE])));
  }
  const ranges = items.flatMap((item) => {
    const task = tagItem.parse(item.payload);
    return task.task === 'range' ? [{ item, task }] : [];
  });
  if (ranges.length > 0) return runRanges(input, ranges, { services, work, tagRun });
  const [last] = items;
  if (last === undefined) throw new Error('A batch has an item.');
  return (client) => apply(input, last, { client, work, tagRun });
}

interface RangeItem {
  readonly item: ClaimedItem;
  readonly task: Extract<TagItem, { task: 'range' }>;
}

async function runRanges(
  input: TagInput,
  ranges: readonly RangeItem[],
  context: {
    readonly services: TagServices;
    readonly work: Work;
    readonly tagRun: TagRunRecord;
  },
): Promise<Commit> {
  const { services, work, tagRun } = context;
  const { pool } = services.database;
  const labels = await readLabels(pool, input);
  const scorer = await RunScorer.load(pool, tagRun, labels, () =>
    getTextModel(services, tagRun.textModelId),
  );
  const chosen: { readonly id: bigint; readonly range: ChosenRange }[] = [];
  try {
    for (const { item, task } of ranges) {
      const { number } = task;
      const bounds = { from: asImageId(task.from), to: asImageId(task.to) };
      const range = await scorer.choose(pool, { number, ...bounds }, work.signal);
      chosen.push({ id: item.id, range });
    }
  } finally {
    await scorer.dispose();
  }
  return async (client) => {
    const outcomes = new Map<bigint, Outcome>();
    // All at once, in one order with those who delete: range after range, the two could wait for each other.
    await keepImages(
      client,
      tagRun.collectionId,
      chosen.flatMap(({ range }) => range.ids),
    );
    for (const { id, range } of chosen) {
      const isStored = await commitRange(client, tagRun, range);
      outcomes.set(id, isStored ? { kind: 'done', reasonCode: 'TAGGED' } : GONE);
    }
    return outcomes;
  };
}

async function apply(
  input: TagInput,
  { id }: ClaimedItem,
  context: {
    readonly client: Parameters<Commit>[0];
    readonly work: Work;
    readonly tagRun: TagRunRecord;
  },
): Promise<ReadonlyMap<bigint, Outcome>> {
  const { client, work, tagRun } = context;
  if (await hasOpenItems(client, work.jobId, APPLY.task)) return new Map(); // given back until the others are done
  const { failed } = await countItems(client, work.jobId);
  if (failed > 0) {
    const message = `${failed} ranges of images failed, so that nothing was applied: retry them.`;
    return new Map([[id, { kind: 'failed', reasonCode: 'RANGES_FAILED', message }]]);
  }
  const isWhole = isEmptyFilter(readOptions(input.options).filter);
  const isApplied = await applyTagRun(client, tagRun, { isWhole, now: new Date() });
  return new Map([[id, isApplied ? { kind: 'done', reasonCode: 'APPLIED' } : GONE]]);
}

async function summarize({ pool }: Database, jobId: JobId): Promise<object> {
  const run = (await findTagRunsOfJobs(pool, [jobId])).get(jobId);
  const { imageCount: images = 0, taggedCount: tagged = 0, tagCount: tags = 0 } = run ?? {};
  return { tagRunId: run?.id ?? null, isApplied: run?.state === 'APPLIED', images, tagged, tags };
}
