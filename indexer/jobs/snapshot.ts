import { stat } from 'node:fs/promises';
import { z } from 'zod';
import type { Database } from '../../store/database.ts';
import { COMPLETE } from '../../store/generation-switch.ts';
import { findGeneration, listKeptGenerations } from '../../store/generations.ts';
import { asCollectionId, type CollectionId, type JobId } from '../../store/ids.ts';
import { addItems, listItems, type ClaimedItem, type Outcome } from '../../store/job-items.ts';
import { createJob, type JobRecord } from '../../store/jobs.ts';
import { listVisionSpaces } from '../../store/model-registry.ts';
import { notifyWorkers } from '../../store/worker-presence.ts';
import type { EngineSetting } from '../vector-index/engines.ts';
import { withCurrentIndex } from '../vector-index/stored-index.ts';
import { defineJob, type Work } from './define-job.ts';

const snapshotInput = z.object({ collectionId: z.uuid().transform(asCollectionId) });
const snapshotItem = z.object({ generationId: z.uuid(), path: z.string() });

export interface SnapshotServices {
  readonly database: Database;
  readonly engine: EngineSetting;
  /** Where snapshots lie. */
  readonly snapshots: string;
}

export interface SnapshotRequest {
  readonly collectionId: CollectionId;
  readonly createdBy: string;
  readonly idempotencyKey: string | null;
  readonly now: Date;
}

/** Makes the job that writes snapshots of a collection's indexes. */
export async function startSnapshot(
  { pool, prisma }: Database,
  { collectionId, createdBy, idempotencyKey, now }: SnapshotRequest,
): Promise<JobRecord> {
  const job = await createJob(prisma, {
    ...{ kind: 'SNAPSHOT', collectionId, createdBy, idempotencyKey, now },
    input: { collectionId },
  });
  await notifyWorkers(pool);
  return job;
}

/** An item a complete generation. The file lies in the worker's data folder: it serves servers that share it. */
export const snapshot = defineJob<z.output<typeof snapshotInput>, SnapshotServices>({
  kind: 'SNAPSHOT',
  input: snapshotInput,
  batchSize: 1,
  lanes: 1,
  isDryRun: () => false,
  plan: async ({ collectionId }, { database }, { jobId }) => {
    const kept = await listKeptGenerations(database.prisma, collectionId);
    const complete = kept.filter(({ state }) => COMPLETE.has(state));
    const items = complete.map(({ id, number }) => {
      const path = `generation ${number}`;
      return { key: path, payload: { generationId: id, path } };
    });
    await addItems(database.pool, jobId, items);
    return { files: items.length };
  },
  run: async (_input, [item], services, work) => {
    if (item === undefined) throw new Error('A batch of one has one item.');
    const outcome = await write(item, services, work);
    return () => Promise.resolve(new Map([[item.id, outcome]]));
  },
  summarize: (_input, { database }, jobId) => summarize(database, jobId),
});

async function write(
  { payload }: ClaimedItem,
  { database, engine, snapshots: folder }: SnapshotServices,
  { signal, logger }: Work,
): Promise<Outcome> {
  const { prisma, pool: db } = database;
  const generation = await findGeneration(prisma, snapshotItem.parse(payload).generationId);
  if (generation?.discardedAt !== null) return { kind: 'skipped', reasonCode: 'DISCARDED' };
  const { collectionId, visionSpaceId } = generation;
  const space = (await listVisionSpaces(prisma)).find(({ id }) => id === visionSpaceId);
  if (space === undefined) throw new Error('A generation without its vision space.');
  const { dimensions, fingerprint } = space;
  const key = { collectionId, visionSpaceId };
  const options = { key, dimensions, fingerprint, engine, folder, db, logger };
  return withCurrentIndex(options, signal, async (current) => {
    const { engine: used, size: images } = current.index;
    const { size: bytes } = await stat(await current.save());
    const message = JSON.stringify({ engine: used, images, bytes });
    return { kind: 'done', reasonCode: 'WRITTEN', message };
  });
}

const written = z.object({ engine: z.string(), images: z.number(), bytes: z.number() });

async function summarize({ pool }: Database, jobId: JobId): Promise<object> {
  const page = { jobId, after: null, limit: 1000 };
  const items = await listItems(pool, { ...page, state: 'DONE' });
  const snapshots = items.flatMap(({ key, message }) => {
    const about = written.safeParse(JSON.parse(message ?? '{}')).data;
    return about ? [{ name: key, ...about }] : [];
  });
  return { snapshots };
}
