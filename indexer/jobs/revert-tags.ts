import { z } from 'zod';
import { PlatformError } from '../../platform/errors.ts';
import type { Database } from '../../store/database.ts';
import type { TagRunId } from '../../store/ids.ts';
import { addItems, type ClaimedItem, type Outcome } from '../../store/job-items.ts';
import { RECLAIM_BATCH, reclaimTagRun, revertTagRun } from '../../store/tag-run-switch.ts';
import { findTagRun, type TagRunRecord } from '../../store/tag-runs.ts';
import { defineJob, type Commit, type Work } from './define-job.ts';
import { revertInput } from './tag-input.ts';

const revertItem = z.object({ task: z.enum(['hide', 'delete']), path: z.string() });

type RevertInput = z.output<typeof revertInput>;

export interface RevertServices {
  readonly database: Database;
}

/**
 * Takes a run back. The first item hides all its tags in one moment; the others delete them, a batch each, one after the other. A job that
 * is cancelled between them leaves the rest to `housekeeping.ts`.
 */
export const revertTags = defineJob<RevertInput, RevertServices>({
  kind: 'REVERT_TAGS',
  input: revertInput,
  batchSize: 1,
  lanes: 1,
  isDryRun: () => false,
  plan: async ({ tagRunId }, { database }, { jobId }) => {
    const { tagCount } = await getRun(database, tagRunId);
    const batches = Math.ceil(tagCount / RECLAIM_BATCH);
    await addItems(database.pool, jobId, [
      { key: 'hide', payload: { task: 'hide', path: 'hide' } },
      ...Array.from({ length: batches }, (_, i) => {
        const path = `delete ${i + 1} of ${batches}`;
        return { key: path, payload: { task: 'delete', path } };
      }),
    ]);
    return { tagRunId, files: 0, tags: tagCount };
  },
  run,
  summarize: async ({ tagRunId }, { database }) => {
    const run = await findTagRun(database.pool, tagRunId);
    return { tagRunId, tags: run?.tagCount ?? 0 };
  },
});

async function getRun({ pool }: Database, id: TagRunId): Promise<TagRunRecord> {
  const run = await findTagRun(pool, id);
  if (run) return run;
  throw new PlatformError('NOT_FOUND', 'The run was deleted with its vocabulary or collection.');
}

async function run(
  { tagRunId }: RevertInput,
  [item]: readonly ClaimedItem[],
  { database }: RevertServices,
  { job }: Work,
): Promise<Commit> {
  if (item === undefined) throw new Error('A batch of one has one item.');
  const { task } = revertItem.parse(item.payload);
  const tagRun = await getRun(database, tagRunId);
  if (task === 'delete' && tagRun.state === 'APPLIED') {
    return () => Promise.resolve(new Map()); // given back until it is hidden
  }
  return async (client) => {
    const now = new Date();
    if (task === 'delete') {
      const deleted = await reclaimTagRun(client, tagRunId, now);
      return new Map([[item.id, outcomeOf(`${deleted} rows.`)]]);
    }
    const isHidden = await revertTagRun(client, tagRun, { by: job.createdBy, now });
    return new Map([[item.id, isHidden ? { kind: 'done', reasonCode: 'HIDDEN' } : BEFORE]]);
  };
}

const BEFORE: Outcome = { kind: 'skipped', reasonCode: 'NOT_APPLIED' };

function outcomeOf(message: string): Outcome {
  return { kind: 'done', reasonCode: 'DELETED', message };
}
