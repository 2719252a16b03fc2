import type { JobServices } from '../indexer/jobs/index.ts';
import { PlatformError } from '../platform/errors.ts';
import type { JobId } from '../store/ids.ts';
import { listItems, type ItemRecord } from '../store/job-items.ts';
import type { JobRecord } from '../store/jobs.ts';
import { countOutcomes, type OutcomeCount } from '../store/ledger.ts';
import type { CommandContext } from './program.ts';
import { formatTable } from './table.ts';

interface Ending {
  readonly outcomes: readonly OutcomeCount[];
  readonly failures: readonly ItemRecord[];
}

/** Failures that are shown; JSON and the API have all. */
const SHOWN = 20;
const PAGE = 1000;

async function collect(
  { database: { pool } }: Pick<JobServices, 'database'>,
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

/** Prints what came of a job, or of planning it. Throws when it didn't get to its end. */
export async function reportJob(
  services: Pick<JobServices, 'database'>,
  job: JobRecord,
  { json = false, out }: { readonly json?: boolean | undefined } & Pick<CommandContext, 'out'>,
): Promise<void> {
  const { id, state, plan, result } = job;
  const { outcomes, failures } = await collect(services, job, json ? Infinity : SHOWN);
  if (json) {
    const listed = failures.map(({ path, reasonCode, message }) => ({ path, reasonCode, message }));
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
    ({ path, reasonCode, message }) =>
      `${JSON.stringify(path)}: ${reasonCode ?? ''} ${message ?? ''}`,
  );
  const more = total > failures.length ? `\n… and ${total - failures.length} more` : '';
  const where = `All of them: job(id: "${id}") { failures }, or --json. Reasons: docs/operations.md.`;
  return `\n${lines.join('\n')}${more}\n${where}\n`;
}

function reasonOf(result: unknown): string {
  const message = typeof result === 'object' && result !== null && 'message' in result;
  return message ? String(result.message) : 'The job failed.';
}
