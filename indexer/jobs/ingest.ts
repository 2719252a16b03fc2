import { z } from 'zod';
import { PlatformError } from '../../platform/errors.ts';
import type { Models } from '../../models/loaded-models.ts';
import type { Database } from '../../store/database.ts';
import {
  asCollectionId,
  asImageId,
  asSourceId,
  type CollectionId,
  type JobId,
} from '../../store/ids.ts';
import { addItems, type ClaimedItem, type Outcome } from '../../store/job-items.ts';
import { createJob, type JobRecord } from '../../store/jobs.ts';
import { countOutcomes, hasOpenItems } from '../../store/ledger.ts';
import { listSources, type SourceRecord } from '../../store/sources.ts';
import { notifyWorkers } from '../../store/worker-presence.ts';
import { commitBatch, commitRemovals, type IngestOutcome, type Removal } from '../ingest/commit.ts';
import type { Decoder } from '../ingest/decode.ts';
import { encodeBatch } from '../ingest/encode.ts';
import { estimate } from '../ingest/estimate.ts';
import { isMissing, locateFile } from '../ingest/image-file.ts';
import { ingestItem, type IngestItem, type IngestPayload } from '../ingest/ingest-item.ts';
import { findMoves } from '../ingest/moves.ts';
import { planIngest, type IngestPlan } from '../ingest/plan.ts';
import { readBatch, type FileOrder } from '../ingest/read-batch.ts';
import { UnreadableImage } from '../ingest/reasons.ts';
import type { ThumbnailStore } from '../ingest/thumbnails.ts';
import { uploadPath, type UploadStore } from '../ingest/uploads.ts';
import { findTargets } from '../targets.ts';
import { defineJob, type Commit, type Work } from './define-job.ts';

export interface IngestServices {
  readonly database: Database;
  readonly models: Models;
  readonly decoder: Pick<Decoder, 'hash' | 'decode'>;
  readonly thumbnails: ThumbnailStore;
  readonly uploads: UploadStore;
  readonly makesThumbnails: boolean;
}

const uploadedFile = z.object({
  name: z.string(),
  sha256: z.hex().length(64),
  bytes: z.number().int().nonnegative(),
});

const ingestInput = z.object({
  collectionId: z.uuid().transform(asCollectionId),
  prune: z.boolean().default(false),
  dryRun: z.boolean().default(false),
  /** Only these sources; null: all of the collection's. */
  sourceIds: z.array(z.uuid()).nullable().default(null),
  /** Files written more recently than this are left for a later ingest. */
  settleSeconds: z.number().int().min(0).max(3600).default(0),
  /** These instead of sources. */
  uploads: z.array(uploadedFile).nullable().default(null),
});

type IngestInput = z.output<typeof ingestInput>;

export interface IngestRequest {
  readonly collectionId: CollectionId;
  /** Removes images whose files are gone. */
  readonly prune: boolean;
  /** Only finds out what there is to do: the job stays PLANNED, with its plan. */
  readonly dryRun: boolean;
  /** Default: all of the collection's. */
  readonly sourceIds?: readonly string[];
  /** Files written more recently than this are SKIPPED as SETTLING. Default 0: everything is read. */
  readonly settleSeconds?: number;
  readonly createdBy: string;
  readonly idempotencyKey: string | null;
  readonly now: Date;
}

/** Makes the job that scans a collection's sources; a worker plans it and does it. */
export function startIngest(database: Database, request: IngestRequest): Promise<JobRecord> {
  const { collectionId, prune, dryRun, sourceIds, settleSeconds = 0 } = request;
  return start(database, request, {
    ...{ collectionId, prune, dryRun, settleSeconds },
    sourceIds: sourceIds === undefined ? null : [...sourceIds],
  });
}

export interface UploadRequest {
  readonly collectionId: CollectionId;
  /** As `UploadStore.save` answered; `sha256` in hex. */
  readonly files: readonly z.input<typeof uploadedFile>[];
  readonly createdBy: string;
  readonly idempotencyKey: string | null;
  readonly now: Date;
}

/** Makes the job that indexes uploaded files. */
export function startUpload(database: Database, request: UploadRequest): Promise<JobRecord> {
  const { collectionId, files } = request;
  return start(database, request, { collectionId, uploads: [...files] });
}

async function start(
  { pool, prisma }: Database,
  { collectionId, createdBy, idempotencyKey, now }: Omit<UploadRequest, 'files'>,
  input: z.input<typeof ingestInput>,
): Promise<JobRecord> {
  const parsed = ingestInput.parse(input);
  const job = await createJob(prisma, {
    ...{ kind: 'INGEST', collectionId, createdBy, idempotencyKey, now },
    input: JSON.parse(JSON.stringify(parsed)) as Record<string, never>,
  });
  await notifyWorkers(pool);
  return job;
}

/** Whether an ingest of this input looks at this source. */
export function coversSource(job: JobRecord, sourceId: string): boolean {
  const input = ingestInput.safeParse(job.input).data;
  if (input?.uploads !== null || input.dryRun) return false;
  return input.sourceIds?.includes(sourceId) ?? true;
}

/** Photos of a batch: some hundred milliseconds of work, what a kill costs at most. */
const BATCH_SIZE = 32;

/** Embeds what is new or changed in a collection's sources, or was uploaded. Doing an item twice changes nothing. */
export const ingest = defineJob<IngestInput, IngestServices>({
  kind: 'INGEST',
  input: ingestInput,
  batchSize: BATCH_SIZE,
  priority: 1, // somebody waits for an upload; a reindex takes its time
  isDryRun: ({ dryRun }) => dryRun,
  plan: (input, services, work) =>
    input.uploads === null
      ? planSources(input, services, work)
      : planUploads(input.uploads, services, { ...work, collectionId: input.collectionId }),
  run: (input, items, services, work) => new IngestBatch(input, services, work).run(items),
  summarize: (_input, { database }, jobId) => summarize(database, jobId),
});

async function planSources(
  { sourceIds, ...input }: IngestInput,
  { database }: IngestServices,
  { jobId, now, signal }: Work,
): Promise<IngestPlan> {
  const all = await listSources(database.prisma, input.collectionId);
  const sources = all.filter(({ id }) => sourceIds?.includes(id) ?? true);
  return planIngest(database, { ...input, jobId, sources, now, signal });
}

async function planUploads(
  files: NonNullable<IngestInput['uploads']>,
  { database }: IngestServices,
  { jobId, collectionId }: Pick<Work, 'jobId'> & Pick<IngestInput, 'collectionId'>,
): Promise<IngestPlan> {
  const items = files.map(({ name, sha256, bytes }) => ({
    key: uploadPath(Buffer.from(sha256, 'hex'), name),
    payload: { task: 'upload', sha256, bytes } satisfies IngestPayload,
  }));
  await addItems(database.pool, jobId, items);
  const bytesToRead = files.reduce((sum, { bytes }) => sum + bytes, 0);
  return {
    ...{ files: items.length, toRead: items.length, unchanged: 0, vanished: 0, toRemove: 0 },
    bytesToRead,
    ...(await estimate(database, collectionId, items.length)),
  };
}

interface Parsed {
  readonly item: ClaimedItem;
  readonly task: IngestItem;
}

class IngestBatch {
  readonly #input: IngestInput;
  readonly #services: IngestServices;
  readonly #work: Work;

  constructor(input: IngestInput, services: IngestServices, work: Work) {
    this.#input = input;
    this.#services = services;
    this.#work = work;
  }

  async run(items: readonly ClaimedItem[]): Promise<Commit> {
    const { database, decoder, thumbnails, makesThumbnails } = this.#services;
    const { signal } = this.#work;
    const { collectionId } = this.#input;
    const parsed = items.map((item) => ({ item, task: ingestItem.parse(item.payload) }));
    const sources = new Map(
      (await listSources(database.prisma, collectionId)).map((source) => [source.id, source]),
    );
    const targets = await findTargets(this.#services, collectionId);
    const orders = new Orders(sources, this.#services.uploads);
    for (const one of parsed) await orders.add(one);

    const services = { db: database.pool, decoder, thumbnails, collectionId, makesThumbnails };
    const batch = await readBatch(orders.files, { ...services, targets }, signal);
    const embeddings = await encodeBatch(batch, targets, signal);
    const moves = await findMoves(batch, sources);
    const removals = (await this.#mayRemove(orders.removals)) ? orders.removals : [];
    const spaces = targets.map(({ key }) => key.visionSpaceId);
    return async (client) => {
      const outcomes = await commitBatch(client, collectionId, {
        ...{ batch, spaces, embeddings, moves },
      });
      const removed = await commitRemovals(client, collectionId, removals);
      return new Map([...orders.outcomes, ...outcomes, ...removed]);
    };
  }

  /** Only when every file was read: until then an image may turn out to have moved. */
  async #mayRemove(removals: readonly Removal[]): Promise<boolean> {
    if (removals.length === 0) return false;
    return !(await hasOpenItems(this.#services.database.pool, this.#work.jobId, 'remove'));
  }
}

/** Sorts a batch's items by what is to be done with them. */
class Orders {
  readonly files: FileOrder[] = [];
  readonly removals: Removal[] = [];
  /** Of items that need no work. */
  readonly outcomes = new Map<bigint, Outcome>();
  readonly #sources: ReadonlyMap<string, SourceRecord>;
  readonly #uploads: UploadStore;

  constructor(sources: ReadonlyMap<string, SourceRecord>, uploads: UploadStore) {
    this.#sources = sources;
    this.#uploads = uploads;
  }

  async add({ item: { id: itemId, key: path }, task }: Parsed): Promise<void> {
    switch (task.task) {
      case 'upload': {
        const file = this.#uploads.pathOf(Buffer.from(task.sha256, 'hex'));
        this.files.push({ itemId, path, file, sourceId: null });
        break;
      }
      case 'read': {
        const file = await this.#locate(task.sourceId, path);
        if (file === null) this.#fail(itemId, 'VANISHED', 'The file is gone.');
        else if (file instanceof UnreadableImage) this.#fail(itemId, file.reason, file.message);
        else this.files.push({ itemId, path, file, sourceId: asSourceId(task.sourceId) });
        break;
      }
      case 'remove':
        await this.#addRemoval(itemId, path, task);
        break;
      case 'refuse':
        this.#fail(itemId, task.reason, task.message);
        break;
    }
  }

  async #addRemoval(
    itemId: bigint,
    path: string,
    { sourceId, imageId }: Extract<IngestItem, { task: 'remove' }>,
  ): Promise<void> {
    const source = this.#sources.get(sourceId);
    if (source && (await isMissing(source.folder))) {
      this.#fail(itemId, 'SOURCE_UNREADABLE', "The source's folder is gone; nothing is removed.");
    } else {
      const file = await this.#locate(sourceId, path);
      if (file instanceof UnreadableImage) this.#fail(itemId, file.reason, file.message);
      else this.removals.push({ itemId, path, file, imageId: asImageId(imageId) });
    }
  }

  /** Null: gone. */
  async #locate(sourceId: string, path: string): Promise<string | UnreadableImage | null> {
    const source = this.#sources.get(sourceId);
    if (source === undefined) return null;
    try {
      return await locateFile(source, path);
    } catch (error) {
      if (error instanceof UnreadableImage) return error;
      if (error instanceof PlatformError && error.code === 'NOT_FOUND') return null;
      throw error;
    }
  }

  #fail(id: bigint, reasonCode: string, message: string): void {
    this.outcomes.set(id, { kind: 'failed', reasonCode, message });
  }
}

/** The public result of an ingest: numbers of images. */
export interface IngestResult {
  readonly decoded: number;
  readonly embedded: number;
  readonly reused: number;
  readonly moved: number;
  readonly removed: number;
  readonly unchanged: number;
}

async function summarize({ pool }: Database, jobId: JobId): Promise<IngestResult> {
  const counts = await countOutcomes(pool, jobId);
  const of = (...reasons: IngestOutcome[]): number =>
    counts
      .filter(({ reasonCode }) => reasons.some((reason) => reason === reasonCode))
      .reduce((sum, { count }) => sum + count, 0);
  return {
    decoded: of('EMBEDDED', 'DECODED'),
    embedded: of('EMBEDDED'),
    reused: of('DECODED', 'REUSED'),
    ...{ moved: of('MOVED'), removed: of('REMOVED'), unchanged: of('UNCHANGED') },
  };
}
