import type { JobFactsFragment, JobKind, JobState } from '../generated/operations.ts';

/** What the page calls a job's kinds and states, and what can be done in each state. */

export const KIND_NAMES: Readonly<Record<JobKind, string>> = {
  INGEST: 'Take in images',
  REINDEX: 'Reindex',
  TAG: 'Tag images',
  REVERT_TAGS: 'Take tags back',
  TRAIN: 'Train a text model',
  EVALUATE: 'Measure a text model',
  VERIFY: 'Check the collection',
  SNAPSHOT: 'Write snapshots',
};

export const STATE_NAMES: Readonly<Record<JobState, string>> = {
  PLANNED: 'Planned',
  QUEUED: 'Waiting',
  RUNNING: 'Running',
  PAUSED: 'Paused',
  SUCCEEDED: 'Done',
  FAILED: 'Failed',
  CANCELLED: 'Cancelled',
};

type Job = Pick<JobFactsFragment, 'state' | 'plan' | 'failed' | 'done' | 'skipped' | 'total'>;

/** A dry run stays PLANNED, with its plan; others are queued in the moment they have one. */
export function isDryRun({ state, plan }: Job): boolean {
  return state === 'PLANNED' && plan !== null;
}

/** Whether nothing about it changes any more unless somebody acts. */
export function isSettled(job: Job): boolean {
  return ['SUCCEEDED', 'FAILED', 'CANCELLED'].includes(job.state) || isDryRun(job);
}

export function stateName(job: Job): string {
  return isDryRun(job) ? 'Dry run' : STATE_NAMES[job.state];
}

export type JobAction = 'pause' | 'resume' | 'cancel' | 'retry';

/** What the API would not refuse. */
export function possibleActions(job: Job): readonly JobAction[] {
  switch (job.state) {
    case 'PLANNED':
      return isDryRun(job) ? [] : ['cancel'];
    case 'QUEUED':
    case 'RUNNING':
      return ['pause', 'cancel', ...retry(job)];
    case 'PAUSED':
      return ['resume', 'cancel', ...retry(job)];
    case 'SUCCEEDED':
      return retry(job);
    case 'FAILED':
      return ['retry'];
    case 'CANCELLED':
      return [];
  }
}

/** `20 of 80: 17 done, 2 failed, 1 skipped`. */
export function countWords({ done, failed, skipped, total }: Job): string {
  const parts = [
    `${formatCount(done)} done`,
    ...(failed === 0 ? [] : [`${formatCount(failed)} failed`]),
    ...(skipped === 0 ? [] : [`${formatCount(skipped)} skipped`]),
  ];
  if (total === null) return parts.join(', ');
  return `${formatCount(done + failed + skipped)} of ${formatCount(total)}: ${parts.join(', ')}`;
}

export function formatCount(count: number): string {
  return count.toLocaleString('en-GB');
}

function retry({ failed }: Job): readonly JobAction[] {
  return failed > 0 ? ['retry'] : [];
}
