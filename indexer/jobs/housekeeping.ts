import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from '../../platform/logger.ts';
import type { Database } from '../../store/database.ts';
import { deleteRunTags, findOrphanedRuns } from '../../store/orphaned-tags.ts';
import { forgetIdleScans, listDiscarded, reclaim } from '../../store/reclaim.ts';
import { abandonTagRuns, listUnreclaimedRuns, reclaimTagRun } from '../../store/tag-run-switch.ts';

const LOOK_EVERY_MS = 5000;
/** Scans that nobody asked for and that found nothing to do are worth a look for a day. */
const IDLE_SCANS_KEPT_MS = 24 * 3_600_000;
/** Between two batches, so that those who index aren't held up for long. */
const PAUSE_MS = 50;

/** Deletes the rows of discarded generations and of tag runs that don't show any more, and old scans of schedules and watchers that changed nothing, until the signal fires. Any number of workers may do so at once. */
export async function keepHouse(
  { database, logger }: { readonly database: Database; readonly logger: Logger },
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await reclaimDiscarded(database, signal);
      await reclaimTagRuns(database, signal);
      await reclaimOrphanedTags(database, signal);
      await forgetIdleScans(database.pool, new Date(Date.now() - IDLE_SCANS_KEPT_MS));
    } catch (error) {
      logger.warn({ err: error }, 'What was given up could not be deleted; it is tried again.');
    }
    await pause(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** Deletes what is discarded now. */
export async function reclaimDiscarded({ pool }: Database, signal: AbortSignal): Promise<void> {
  for (const generation of await listDiscarded(pool)) {
    for await (const rows of reclaim(pool, generation, new Date())) {
      if (signal.aborted) return;
      if (rows > 0) await pause(PAUSE_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** Deletes the rows of runs that were reverted, or that nothing will come of. */
export async function reclaimTagRuns({ pool }: Database, signal: AbortSignal): Promise<void> {
  await abandonTagRuns(pool, new Date());
  for (const id of await listUnreclaimedRuns(pool)) {
    while (!signal.aborted && (await reclaimTagRun(pool, id, new Date())) > 0) {
      await pause(PAUSE_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** Deletes the tags of deleted vocabularies. */
export async function reclaimOrphanedTags({ pool }: Database, signal: AbortSignal): Promise<void> {
  for (const run of await findOrphanedRuns(pool)) {
    while (!signal.aborted && (await deleteRunTags(pool, run)) > 0) {
      await pause(PAUSE_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}
