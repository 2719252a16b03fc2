import { InvalidArgumentError, type Command } from 'commander';
import { parseConfig } from '../../indexer/config.ts';
import { registerBundle } from '../../indexer/collections.ts';
import type { JobServices } from '../../indexer/jobs/index.ts';
import { openServices } from '../../indexer/services.ts';
import { previewRun } from '../../indexer/tagging/preview.ts';
import { prepareLabels, type LabelEncoder } from '../../indexer/tagging/prepared-labels.ts';
import type { RunTarget } from '../../indexer/tagging/prepare-run.ts';
import { getTextModel } from '../../indexer/jobs/tag.ts';
import { checkOptions } from '../../indexer/tagging/run-request.ts';
import { resolveTarget, startTagRun, type TagRunRequest } from '../../indexer/tagging/start-run.ts';
import { Closers } from '../../platform/closers.ts';
import { PlatformError } from '../../platform/errors.ts';
import { createLogger } from '../../platform/logger.ts';
import { recordAudit } from '../../store/audit.ts';
import { getCollection } from '../../store/collections.ts';
import { countItems } from '../../store/job-progress.ts';
import type { JobRecord } from '../../store/jobs.ts';
import { findTagRunsOfJobs, listRunLabels } from '../../store/tag-runs.ts';
import { readLabels } from '../../store/vocabulary-labels.ts';
import { getVocabulary } from '../../store/vocabularies.ts';
import { wholeNumber } from '../options.ts';
import type { CommandContext } from '../program.ts';
import { Progress } from '../progress.ts';
import { formatTable } from '../table.ts';
import { COMMAND_LINE } from '../with-database.ts';
import { workOnJob } from '../work-on-job.ts';

interface TagFlags {
  readonly collection: string;
  readonly vocabulary: string;
  readonly maxTags?: number;
  readonly minTags?: number;
  readonly minProbability?: number;
  readonly preview?: true;
  readonly json?: true;
}

export function addTagCommand(program: Command, context: CommandContext): void {
  program
    .command('tag')
    .description(
      "Tag a collection's images with a vocabulary; all of it shows at once, at the end.",
    )
    .requiredOption('--collection <name>', 'the collection')
    .requiredOption('--vocabulary <name>', 'the vocabulary')
    .option('--preview', 'only count what a run would do')
    .option('--max-tags <n>', 'the most labels an image gets (default: 5)', wholeNumber)
    .option('--min-tags <n>', 'so many labels an image gets in any case (default: 0)', orNone)
    .option('--min-probability <p>', 'for labels without a threshold (default: 0.5)', probability)
    .option('--json', 'print JSON: counts, and those by label')
    .addHelpText(
      'after',
      '\nbin/sharelock tags runs --collection NAME lists runs; tags revert RUN takes one back.',
    )
    .action((flags: TagFlags) => tag(flags, context));
}

function orNone(text: string): number {
  return text === '0' ? 0 : wholeNumber(text);
}

function probability(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value <= 1) return value;
  throw new InvalidArgumentError('It must be a number from 0 to 1.');
}

interface Counted {
  /** Null: a preview. */
  readonly run: string | null;
  readonly images: number;
  readonly tagged: number;
  readonly tags: number;
  readonly labels: readonly { readonly label: string; readonly count: number }[];
}

async function tag(flags: TagFlags, context: CommandContext): Promise<void> {
  const config = { ...parseConfig(context.environment), bundleFolder: context.bundle };
  const closers = new Closers();
  const progress = new Progress(context);
  try {
    const logger = createLogger({ level: 'silent' });
    const services = await openServices(config, { closers, logger });
    for (const bundle of await services.models.bundles()) {
      await registerBundle(services.database, bundle);
    }
    const request = await readRequest(services, flags);
    const target = await resolveTarget(services.database, request);
    const texts = await getTextModel(services, target.textModelId);
    await encodeLabels(services, { target, texts }, { context, progress });
    const counted = flags.preview
      ? await preview(services, { request, target, texts }, context)
      : await run(services, { collection: flags.collection, request }, { context, progress });
    progress.stop();
    print(counted, flags, context);
  } finally {
    progress.stop();
    await closers.close();
  }
}

async function readRequest(
  { database }: JobServices,
  { collection, vocabulary, maxTags, minTags, minProbability }: TagFlags,
): Promise<TagRunRequest> {
  const { id: collectionId } = await getCollection(database.prisma, collection);
  const choice = checkOptions({
    ...{ maxTagsPerImage: maxTags, minTagsPerImage: minTags, minProbability },
  });
  return {
    ...{ collectionId, vocabulary: await getVocabulary(database.pool, vocabulary), version: null },
    options: { ...choice, filter: {} },
  };
}

interface Shown {
  readonly context: CommandContext;
  readonly progress: Progress;
}

/** What takes longest the first time, with its own progress; the run finds the vectors. */
async function encodeLabels(
  { database: { pool } }: JobServices,
  { target, texts }: { readonly target: RunTarget; readonly texts: LabelEncoder },
  { context, progress }: Shown,
): Promise<void> {
  const { textModelId, visionSpaceId } = target;
  const labels = await readLabels(pool, target);
  await prepareLabels({ db: pool, texts, textModelId, visionSpaceId }, labels, {
    signal: context.signal,
    onProgress: (done, total) => {
      progress.update('labels', done, total);
    },
  });
}

async function preview(
  { database: { pool } }: JobServices,
  asked: {
    readonly request: TagRunRequest;
    readonly target: RunTarget;
    readonly texts: LabelEncoder;
  },
  { signal }: CommandContext,
): Promise<Counted> {
  const { request, target, texts } = asked;
  const labels = await readLabels(pool, target);
  const options = { ...request.options, signal };
  return { run: null, ...(await previewRun({ pool, texts }, target, labels, options)) };
}

async function run(
  services: JobServices,
  { collection, request }: { readonly collection: string; readonly request: TagRunRequest },
  { context, progress }: Shown,
): Promise<Counted> {
  const { database } = services;
  const now = new Date();
  const asker = { createdBy: COMMAND_LINE, idempotencyKey: null, now };
  const job = await startTagRun(database, request, asker);
  const detail = { job: job.id, vocabulary: request.vocabulary.name };
  const entry = { actor: COMMAND_LINE, action: 'tag', subject: collection };
  await recordAudit(database.pool, { ...entry, detail, now });
  const { signal } = context;
  return count(services, await workOnJob(job.id, services, { progress, signal, label: 'tagging' }));
}

/** Throws when the run wasn't applied. */
async function count({ database: { pool } }: JobServices, job: JobRecord): Promise<Counted> {
  const made = (await findTagRunsOfJobs(pool, [job.id])).get(job.id);
  if (made?.state !== 'APPLIED') {
    const { failed } = await countItems(pool, job.id);
    const message = `The run was not applied (${failed} items failed): bin/sharelock job ${job.id} says why.`;
    throw new PlatformError('CONFLICT', message);
  }
  const { id, imageCount: images, taggedCount: tagged, tagCount: tags } = made;
  const labels = await listRunLabels(pool, id, { after: null, limit: ALL });
  return { run: id, images, tagged, tags, labels };
}

const ALL = 1_000_000;
/** Labels that the table names; JSON has all. */
const SHOWN = 30;

function print(
  { labels, ...counted }: Counted,
  { json }: TagFlags,
  { out, err }: CommandContext,
): void {
  const given = labels.map(({ label, count: tags }) => ({ label, count: tags }));
  if (json) {
    out(`${JSON.stringify({ ...counted, labels: given })}\n`);
    return;
  }
  const { run: id, images, tagged, tags } = counted;
  const would = id === null ? 'would get' : 'got';
  out(`${tagged} of ${images} images ${would} ${tags} tags.\n`);
  const rows = given.filter((row) => row.count > 0).map((row) => [row.label, String(row.count)]);
  if (rows.length > 0) out(formatTable([['label', 'images'], ...rows.slice(0, SHOWN)]));
  if (rows.length > SHOWN) out(`… and ${rows.length - SHOWN} more labels\n`);
  if (id !== null) err(`To take it back: bin/sharelock tags revert ${id}\n`);
}
