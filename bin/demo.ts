import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Services } from '../api/context.ts';
import { createSearchableCollection } from '../indexer/collections.ts';
import { resolveSourceFolder } from '../indexer/ingest/sources.ts';
import { startIngest } from '../indexer/jobs/ingest.ts';
import { countCollections } from '../store/collections.ts';
import { findJob, type JobRecord } from '../store/jobs.ts';
import { countItems } from '../store/job-progress.ts';
import { addSource } from '../store/sources.ts';
import type { Progress } from './progress.ts';
import { COMMAND_LINE } from './with-database.ts';

const SAMPLES = fileURLToPath(new URL('../samples/photos/images', import.meta.url));
const LOOK_EVERY_MS = 250;
const OVER: ReadonlySet<string> = new Set(['SUCCEEDED', 'FAILED', 'CANCELLED']);

/** An empty database gets the sample photos as collection `demo`, indexed by the running indexer. */
export async function makeDemo(
  services: Services,
  { progress, signal }: { readonly progress: Progress; readonly signal: AbortSignal },
): Promise<void> {
  const { database, bundle, now } = services;
  if ((await countCollections(database.prisma, null)) > 0) return;
  const collection = await createSearchableCollection(database, bundle, {
    name: 'demo',
    description: 'The sample photos that come with ShareLock Search.',
  });
  const folder = await resolveSourceFolder(SAMPLES, null);
  await addSource(database.prisma, { collectionId: collection.id, name: 'samples', folder });
  const job = await startIngest(database, {
    ...{ collectionId: collection.id, prune: false, dryRun: false },
    ...{ createdBy: COMMAND_LINE, idempotencyKey: null, now: now() },
  });
  await showUntilOver(services, job, { progress, signal });
}

async function showUntilOver(
  { database, indexes, registered }: Services,
  { id, collectionId }: JobRecord,
  { progress, signal }: { readonly progress: Progress; readonly signal: AbortSignal },
): Promise<void> {
  let job = await findJob(database.prisma, id);
  while (job !== null && !OVER.has(job.state) && !signal.aborted) {
    const { total, open } = await countItems(database.pool, id);
    if (total > 0) progress.update('Indexing the sample photos', total - open, total);
    await pause(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
    job = await findJob(database.prisma, id);
  }
  if (collectionId === null || signal.aborted) return;
  const index = await indexes.get({ collectionId, visionSpaceId: registered.visionSpace.id });
  await index.caughtUp();
}
