import { basename } from 'node:path';
import type { Command } from 'commander';
import { parseConfig } from '../../indexer/config.ts';
import {
  createSearchableCollection,
  makeSearchable,
  registerBundle,
} from '../../indexer/collections.ts';
import { resolveSourceFolder } from '../../indexer/ingest/sources.ts';
import { JOB_KINDS, type JobServices } from '../../indexer/jobs/index.ts';
import { coversSource, startIngest } from '../../indexer/jobs/ingest.ts';
import { JobRunner } from '../../indexer/jobs/runner.ts';
import { openServices } from '../../indexer/services.ts';
import { Closers } from '../../platform/closers.ts';
import { PlatformError } from '../../platform/errors.ts';
import { createLogger } from '../../platform/logger.ts';
import { findCollection, type CollectionRecord } from '../../store/collections.ts';
import type { JobId } from '../../store/ids.ts';
import { resumeJob } from '../../store/job-control.ts';
import { countItems, listItems, type ItemRecord } from '../../store/job-items.ts';
import { findJob, listJobs, type JobRecord } from '../../store/jobs.ts';
import { countOutcomes, type OutcomeCount } from '../../store/ledger.ts';
import { addSource, listSources, type SourceRecord } from '../../store/sources.ts';
import type { CommandContext } from '../program.ts';
import { Progress } from '../progress.ts';
import { formatTable } from '../table.ts';

interface IndexFlags {
  readonly collection: string;
  readonly source?: string;
  readonly prune?: boolean;
  readonly dryRun?: boolean;
  readonly json?: true;
}

export function addIndexCommand(program: Command, context: CommandContext): void {
  program
    .command('index')
    .description('Index the pictures of a folder; again: what is new or changed.')
    .argument('<folder>', 'the folder; it becomes a source of the collection')
    .requiredOption('--collection <name>', 'the collection; made when it is missing')
    .option('--source <name>', "the source's name (default: the folder's)")
    .option('--prune', 'remove images whose files are gone')
    .option('--dry-run', 'only say what there is to do')
    .option('--json', 'print JSON: job, plan, result, outcomes')
    .action((folder: string, flags: IndexFlags) => indexFolder(folder, flags, context));
}

async function indexFolder(
  folder: string,
  flags: IndexFlags,
  context: CommandContext,
): Promise<void> {
  const config = { ...parseConfig(context.environment), bundleFolder: context.bundle };
  const real = await resolveSourceFolder(folder, config.mediaRoots);
  const closers = new Closers();
  const progress = new Progress(context);
  try {
    const logger = createLogger({ level: 'silent' });
    const services = await openServices(config, { closers, logger });
    const collection = await findOrCreateCollection(services, flags.collection);
    const source = await findOrAddSource(services, collection, real, flags.source);
    const job = await joinOrStart(services, source, flags, context);
    const ended = await workOn(job.id, services, progress, context);
    const shown = flags.json ? Infinity : SHOWN;
    report(ended, await collect(services, ended, shown), flags, context);
  } finally {
    progress.stop();
    await closers.close();
  }
}

async function findOrCreateCollection(
  { database, models }: JobServices,
  name: string,
): Promise<CollectionRecord> {
  const bundle = models.main;
  const found = await findCollection(database.prisma, name);
  if (found) return makeSearchable(database, await registerBundle(database, bundle), found);
  try {
    return await createSearchableCollection(database, bundle, { name });
  } catch (error) {
    const made = isConflict(error) ? await findCollection(database.prisma, name) : null;
    if (made === null) throw error;
    return made;
  }
}

async function findOrAddSource(
  { database: { prisma } }: JobServices,
  { id: collectionId }: CollectionRecord,
  folder: string,
  givenName: string | undefined,
): Promise<SourceRecord> {
  const find = async (): Promise<SourceRecord | undefined> =>
    (await listSources(prisma, collectionId)).find((source) => source.folder === folder);
  const found = await find();
  if (found) return found;
  const base = basename(folder);
  const name = givenName ?? (base === '' || base === 'uploads' ? 'files' : base);
  try {
    return await addSource(prisma, { collectionId, name, folder });
  } catch (error) {
    const added = isConflict(error) ? await find() : undefined;
    if (added) return added;
    if (!isConflict(error)) throw error;
    const story = `The collection has another source "${name}"`;
    throw new PlatformError('CONFLICT', `${story}: name this one with --source NAME.`);
  }
}

function isConflict(error: unknown): boolean {
  return error instanceof PlatformError && error.code === 'CONFLICT';
}

/** An ingest of this folder that is open is gone on with; it began with its own choice of --prune. */
async function joinOrStart(
  { database }: JobServices,
  { id, collectionId }: SourceRecord,
  { prune = false, dryRun = false }: IndexFlags,
  { err }: CommandContext,
): Promise<JobRecord> {
  const open = dryRun ? null : await findOpenIngest(database, collectionId, id);
  if (open) {
    err(`Going on with the job of ${open.createdAt.toISOString()}.\n`);
    if (open.state === 'PAUSED') await resumeJob(database.pool, open.id);
    return open;
  }
  return startIngest(database, {
    ...{ collectionId, prune, dryRun, sourceIds: [id], createdBy: 'command line' },
    ...{ idempotencyKey: null, now: new Date() },
  });
}

const OPEN = ['RUNNING', 'QUEUED', 'PAUSED', 'PLANNED'] as const;

async function findOpenIngest(
  { prisma }: JobServices['database'],
  collectionId: SourceRecord['collectionId'],
  sourceId: string,
): Promise<JobRecord | null> {
  for (const state of OPEN) {
    const jobs = await listJobs(prisma, { collectionId, state, after: null, limit: 100 });
    const found = jobs.find((job) => job.kind === 'INGEST' && coversSource(job, sourceId));
    if (found) return found;
  }
  return null;
}

const PROGRESS_MS = 300;

/** Works on the job in this process; a server that runs may take batches too. */
async function workOn(
  id: JobId,
  services: JobServices,
  progress: Progress,
  { signal }: CommandContext,
): Promise<JobRecord> {
  const { database } = services;
  const logger = createLogger({ level: 'warn' });
  const runner = new JobRunner({ kinds: JOB_KINDS, database, services, logger });
  const show = async (): Promise<void> => {
    const job = await findJob(database.prisma, id);
    if (job === null || job.state === 'PLANNED') return;
    const { total, open } = await countItems(database.pool, id);
    if (total > 0 && open > 0) progress.update('indexing', total - open, total);
  };
  let isShowing = false;
  const timer = setInterval(() => {
    if (isShowing) return;
    isShowing = true;
    void show()
      .catch(() => undefined)
      .finally(() => (isShowing = false));
  }, PROGRESS_MS);
  try {
    return await runner.runJob(id, signal);
  } finally {
    clearInterval(timer);
  }
}

interface Ending {
  readonly outcomes: readonly OutcomeCount[];
  readonly failures: readonly ItemRecord[];
}

/** Failures that are shown; JSON and the API have all. */
const SHOWN = 20;
const PAGE = 1000;

async function collect(
  { database: { pool } }: JobServices,
  { id: jobId }: JobRecord,
  most: number,
): Promise<Ending> {
  const failures: ItemRecord[] = [];
  while (failures.length < most) {
    const limit = Math.min(PAGE, most - failures.length);
    const after = failures.at(-1)?.id ?? null;
    const page = await listItems(pool, { jobId, state: 'FAILED', after, limit });
    if (page.length === 0) break;
    failures.push(...page);
  }
  return { outcomes: await countOutcomes(pool, jobId), failures };
}

function report(
  { id, state, plan, result }: JobRecord,
  { outcomes, failures }: Ending,
  { json }: IndexFlags,
  { out }: CommandContext,
): void {
  if (json) {
    const listed = failures.map(({ key, reasonCode, message }) => ({
      ...{ path: key, reasonCode, message },
    }));
    const answer = { job: id, state, plan, result, outcomes, failures: listed };
    out(`${JSON.stringify(answer, null, 2)}\n`);
  } else if (state === 'PLANNED') out(numbers(plan));
  else {
    const rows = outcomes.map((row) => [row.state, row.reasonCode ?? '', String(row.count)]);
    out(formatTable([['state', 'reason', 'files'], ...rows]));
    out(describeFailures(failures, outcomes, id));
  }
  if (state === 'FAILED') throw new PlatformError('BAD_USER_INPUT', reasonOf(result));
  if (state === 'CANCELLED' || state === 'PAUSED') {
    throw new PlatformError('CONFLICT', `The job was ${state.toLowerCase()} by somebody else.`);
  }
}

function numbers(plan: unknown): string {
  const entries = Object.entries(typeof plan === 'object' && plan !== null ? plan : {});
  return formatTable([
    ['plan', ''],
    ...entries.map(([key, value]) => [key, value === null ? 'unknown' : String(value)]),
  ]);
}

function describeFailures(
  failures: readonly ItemRecord[],
  outcomes: readonly OutcomeCount[],
  id: JobId,
): string {
  const total = outcomes
    .filter(({ state }) => state === 'FAILED')
    .reduce((sum, { count }) => sum + count, 0);
  if (total === 0) return '';
  const lines = failures.map(
    ({ key, reasonCode, message }) =>
      `${JSON.stringify(key)}: ${reasonCode ?? ''} ${message ?? ''}`,
  );
  const more = total > failures.length ? `\n… and ${total - failures.length} more` : '';
  const where = `All of them: job(id: "${id}") { failures }, or --json. Reasons: docs/operations.md.`;
  return `\n${lines.join('\n')}${more}\n${where}\n`;
}

function reasonOf(result: unknown): string {
  const message = typeof result === 'object' && result !== null && 'message' in result;
  return message ? String(result.message) : 'The job failed.';
}
