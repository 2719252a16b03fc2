import { basename } from 'node:path';
import type { Command } from 'commander';
import { parseConfig } from '../../indexer/config.ts';
import {
  createSearchableCollection,
  makeSearchable,
  registerBundle,
} from '../../indexer/collections.ts';
import { resolveSourceFolder } from '../../indexer/ingest/sources.ts';
import type { JobServices } from '../../indexer/jobs/index.ts';
import { coversSource, startIngest } from '../../indexer/jobs/ingest.ts';
import { openServices } from '../../indexer/services.ts';
import { Closers } from '../../platform/closers.ts';
import { PlatformError } from '../../platform/errors.ts';
import { createLogger } from '../../platform/logger.ts';
import { findCollection, type CollectionRecord } from '../../store/collections.ts';
import { resumeJob } from '../../store/job-control.ts';
import { listJobs, type JobRecord } from '../../store/jobs.ts';
import { addSource, listSources, type SourceRecord } from '../../store/sources.ts';
import { reportJob } from '../job-report.ts';
import type { CommandContext } from '../program.ts';
import { Progress } from '../progress.ts';
import { workOnJob } from '../work-on-job.ts';

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
    const { signal, out } = context;
    const ended = await workOnJob(job.id, services, { progress, signal, label: 'indexing' });
    await reportJob(services, ended, { json: flags.json, out });
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
