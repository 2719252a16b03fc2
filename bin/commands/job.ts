import { setTimeout as pause } from 'node:timers/promises';
import type { Command } from 'commander';
import { idOf } from '../../api/node-ids.ts';
import { PlatformError, throwIfAborted } from '../../platform/errors.ts';
import { findCollectionsByIds, getCollection } from '../../store/collections.ts';
import type { Database } from '../../store/database.ts';
import { cancelJob, pauseJob, resumeJob, retryFailedItems } from '../../store/job-control.ts';
import { listItems, type ItemRecord } from '../../store/job-items.ts';
import { countItems, measureRate } from '../../store/job-progress.ts';
import { countItemsOf } from '../../store/job-summaries.ts';
import { findJob, listJobs, type JobRecord } from '../../store/jobs.ts';
import { notifyWorkers } from '../../store/worker-presence.ts';
import { recordAudit } from '../../store/audit.ts';
import type { CommandContext } from '../program.ts';
import { Progress } from '../progress.ts';
import { formatTable } from '../table.ts';
import { COMMAND_LINE, withDatabase } from '../with-database.ts';

const SHOWN = 50;
const FAILURES_SHOWN = 20;
const LOOK_EVERY_MS = 500;
const OVER: ReadonlySet<string> = new Set(['SUCCEEDED', 'FAILED', 'CANCELLED']);

interface JobsFlags {
  readonly collection?: string;
  readonly json?: true;
}

interface JobFlags {
  readonly watch?: true;
  readonly pause?: true;
  readonly resume?: true;
  readonly cancel?: true;
  readonly retryFailed?: true;
  readonly json?: true;
}

export function addJobCommands(program: Command, context: CommandContext): void {
  program
    .command('jobs')
    .description(`List the ${SHOWN} newest jobs.`)
    .option('--collection <name>', 'only of this collection')
    .option('--json', 'print JSON')
    .action((flags: JobsFlags) => printJobs(flags, context));
  program
    .command('job')
    .description('Show a job, with what failed; or change it.')
    .argument('<id>', 'as `jobs` and GraphQL show it')
    .option('--watch', 'follow it until it is over')
    .option('--pause', 'workers finish their batch and take no more')
    .option('--resume', 'workers go on')
    .option('--cancel', "end it: what isn't done is skipped")
    .option('--retry-failed', 'try failed items again')
    .option('--json', 'print JSON')
    .action((id: string, flags: JobFlags) => showJob(id, flags, context));
}

function printJobs({ collection, json }: JobsFlags, context: CommandContext): Promise<void> {
  return withDatabase(context, async (database) => {
    const { prisma } = database;
    const named = collection === undefined ? null : await getCollection(prisma, collection);
    const page = { state: null, after: null, limit: SHOWN };
    const jobs = await listJobs(prisma, { ...page, collectionId: named?.id ?? null });
    const described = await describeAll(database, jobs);
    if (json) {
      context.out(`${JSON.stringify(described)}\n`);
      return;
    }
    const rows = described.map((job) => [
      ...[job.id, job.kind, job.state, job.collection ?? ''],
      ...[job.total, job.done, job.failed, job.skipped].map(String),
    ]);
    const heading = ['id', 'kind', 'state', 'collection', 'total', 'done', 'failed', 'skipped'];
    context.out(formatTable([heading, ...rows]));
  });
}

async function describeAll({ prisma, pool }: Database, jobs: readonly JobRecord[]) {
  const ids = jobs.flatMap(({ collectionId }) => (collectionId === null ? [] : [collectionId]));
  const collections = await findCollectionsByIds(prisma, ids);
  const counts = await countItemsOf(
    pool,
    jobs.map(({ id }) => id),
  );
  return jobs.map(
    ({ id, kind, state, collectionId, createdBy, createdAt, finishedAt, ...job }) => ({
      ...{ id, kind, state, createdBy, createdAt, finishedAt, plan: job.plan, result: job.result },
      collection: collections.find((one) => one.id === collectionId)?.name ?? null,
      ...(counts.get(id) ?? { total: 0, done: 0, failed: 0, skipped: 0 }),
    }),
  );
}

function showJob(id: string, flags: JobFlags, context: CommandContext): Promise<void> {
  return withDatabase(context, async (database) => {
    const job = await getJob(database, id);
    await change(database, job, flags);
    if (flags.watch) await watch(database, job, context);
    const failures = await readFailures(database, job);
    const [described] = await describeAll(database, [await getJob(database, job.id)]);
    if (described === undefined) return;
    if (flags.json) {
      const listed = failures.map((failure) => ({ ...failure, id: failure.id.toString() }));
      context.out(`${JSON.stringify({ ...described, failures: listed })}\n`);
      return;
    }
    const { kind, state, collection, total, done, failed, skipped } = described;
    const numbers = `${total} items: ${done} done, ${failed} failed, ${skipped} skipped`;
    context.out(`${kind} of ${collection ?? 'no collection'}: ${state}, ${numbers}\n`);
    const rows = failures.map(({ key, reasonCode, message, attempts }) => [
      ...[JSON.stringify(key), reasonCode ?? '', String(attempts), message ?? ''],
    ]);
    if (rows.length > 0) context.out(formatTable([['file', 'reason', 'tries', 'why'], ...rows]));
  });
}

/** By the plain id, or the one GraphQL gives. */
async function getJob({ prisma }: Database, id: string): Promise<JobRecord> {
  const job = await findJob(prisma, idOf('Job', id) ?? id);
  if (job) return job;
  throw new PlatformError('NOT_FOUND', `There is no job "${id.slice(0, 100)}".`);
}

async function change(database: Database, { id }: JobRecord, flags: JobFlags): Promise<void> {
  const { pool } = database;
  const now = new Date();
  const done: string[] = [];
  const run = async (action: string, isAsked: true | undefined, work: () => Promise<unknown>) => {
    if (!isAsked) return;
    await work();
    done.push(action);
  };
  await run('pause', flags.pause, () => pauseJob(pool, id));
  await run('resume', flags.resume, () => resumeJob(pool, id));
  await run('cancel', flags.cancel, () => cancelJob(pool, id, now));
  await run('retry failed', flags.retryFailed, () => retryFailedItems(pool, id));
  for (const action of done) {
    const entry = { actor: COMMAND_LINE, action: `job ${action}`, subject: id };
    await recordAudit(pool, { ...entry, detail: {}, now });
  }
  if (done.length > 0) await notifyWorkers(pool);
}

async function watch(
  { pool, prisma }: Database,
  { id }: JobRecord,
  context: CommandContext,
): Promise<void> {
  const progress = new Progress(context);
  try {
    for (;;) {
      const job = await findJob(prisma, id);
      if (job === null || OVER.has(job.state)) return;
      const { total, open } = await countItems(pool, id);
      const rate = await measureRate(pool, id, new Date());
      const note = [job.state, rate === null ? '' : `${rate.toFixed(1)}/s over the last minute`];
      if (total > 0) progress.update(job.kind, total - open, total, note.join(' ').trim());
      await pause(LOOK_EVERY_MS, undefined, { signal: context.signal }).catch(() => undefined);
      throwIfAborted(context.signal);
    }
  } finally {
    progress.stop();
  }
}

function readFailures({ pool }: Database, { id }: JobRecord): Promise<readonly ItemRecord[]> {
  return listItems(pool, { jobId: id, state: 'FAILED', after: null, limit: FAILURES_SHOWN });
}
