import type { Database } from '../../store/database.ts';
import {
  countSourceImages,
  findFileStates,
  listMissing,
  type MissingFilter,
} from '../../store/image-files.ts';
import type { FileState } from '../../store/images.ts';
import type { CollectionId, ImageId, JobId } from '../../store/ids.ts';
import { addItems, requirePlanned } from '../../store/job-items.ts';
import {
  addFinishedItems,
  addSkippedItems,
  findEarlierOutcomes,
  type EarlierOutcome,
} from '../../store/ledger.ts';
import { markScanned, type SourceRecord } from '../../store/sources.ts';
import { estimate, type Estimate } from './estimate.ts';
import { DECODER_VERSION, ingestItem, type IngestPayload } from './ingest-item.ts';
import { isLasting, UnreadableImage, type ReasonCode } from './reasons.ts';
import { scanFolder, type Scanned, type ScanPage } from './scan.ts';

/** What an ingest found it has to do; the public `JobPlan`. */
export interface IngestPlan {
  readonly files: number;
  readonly toRead: number;
  readonly unchanged: number;
  readonly vanished: number;
  readonly toRemove: number;
  readonly bytesToRead: number;
  readonly estimatedSeconds: number | null;
  readonly estimatedBytes: number;
}

export interface PlanOptions {
  readonly jobId: JobId;
  readonly collectionId: CollectionId;
  readonly sources: readonly SourceRecord[];
  readonly prune: boolean;
  /** Counts only; the ledger stays empty. */
  readonly dryRun: boolean;
  /** Files written more recently than this are left for a later ingest. */
  readonly settleSeconds: number;
  readonly now: Date;
  readonly signal: AbortSignal;
}

type Counts = Record<Exclude<keyof IngestPlan, keyof Estimate>, number>;

/**
 * Compares sources with the store and gives every file its item. In bounded memory: a page of files at a time, and what
 * has vanished is found by the database. Doing it again after it broke off adds what is missing. Throws CONFLICT or
 * NOT_FOUND when the job was cancelled or deleted meanwhile.
 */
export async function planIngest(database: Database, options: PlanOptions): Promise<IngestPlan> {
  const counts: Counts = {
    ...{ files: 0, toRead: 0, unchanged: 0, vanished: 0, toRemove: 0, bytesToRead: 0 },
  };
  for (const source of options.sources) {
    await new SourcePlanner(database, options, source, counts).plan();
  }
  return { ...counts, ...(await estimate(database, options.collectionId, counts.toRead)) };
}

class SourcePlanner {
  readonly #database: Database;
  readonly #options: PlanOptions;
  readonly #source: SourceRecord;
  readonly #counts: Counts;
  readonly #unreadable: string[] = [];
  #found = 0;
  /** Images whose path is still something. */
  #present = 0;

  constructor(database: Database, options: PlanOptions, source: SourceRecord, counts: Counts) {
    this.#database = database;
    this.#options = options;
    this.#source = source;
    this.#counts = counts;
  }

  async plan(): Promise<void> {
    const { folder, id } = this.#source;
    try {
      for await (const page of scanFolder(folder, this.#options.signal)) await this.#addPage(page);
    } catch (error) {
      if (!(error instanceof UnreadableImage)) throw error; // told to stop, or the database's
      return this.#refuseSource(error.reason, error.message); // the disk may be back tomorrow
    }
    if (this.#options.prune && (await this.#looksUnmounted())) {
      const message = 'The folder is there and empty, so nothing is removed. Is its disk mounted?';
      return this.#refuseSource('SOURCE_EMPTY', message);
    }
    if (this.#options.dryRun) return this.#countMissing();
    await this.#addMissing();
    await markScanned(this.#database.prisma, id, this.#options.now);
  }

  async #addPage({ entries, unreadable }: ScanPage): Promise<void> {
    if (entries.length === 0) return;
    const { pool } = this.#database;
    const { collectionId, jobId } = this.#options;
    this.#unreadable.push(...unreadable.map((path) => this.#keyOf(path)));
    const files = entries.map((entry) => ({ ...entry, key: this.#keyOf(entry.path) }));
    const states = await findFileStates(
      pool,
      collectionId,
      files.map(({ key }) => key),
    );
    this.#found += files.length;
    this.#present += states.size;
    const changed = files.filter((file) => !isUnchanged(file, states.get(file.key)));
    const earlier = await findEarlierOutcomes(
      ...([pool, { collectionId, jobId }] as const),
      changed.map(({ key }) => key),
    );
    await this.#add(files, changed, earlier);
  }

  async #add(
    files: readonly Keyed[],
    changed: readonly Keyed[],
    earlier: ReadonlyMap<string, EarlierOutcome>,
  ): Promise<void> {
    const ledger = new PagePlan(this.#source.id, this.#options.settleSeconds);
    for (const file of changed) ledger.add(file, earlier.get(file.key));
    const counts = this.#counts;
    counts.files += files.length;
    counts.unchanged += files.length - changed.length;
    counts.toRead += ledger.toRead.length;
    counts.bytesToRead += ledger.bytesToRead;
    const { pool } = this.#database;
    const { jobId, now } = this.#options;
    if (this.#options.dryRun) return requirePlanned(pool, jobId);
    const isChanged = new Set(changed.map(({ key }) => key));
    const keys = files.map(({ key }) => key).filter((key) => !isChanged.has(key));
    await addSkippedItems(pool, jobId, { keys, reasonCode: 'UNCHANGED', now });
    await addFinishedItems(pool, jobId, ledger.finished, now);
    if (ledger.toRead.length > 0) await addItems(pool, jobId, ledger.toRead);
  }

  /** A mount point without its disk is an empty folder: no reason to forget every image. */
  async #looksUnmounted(): Promise<boolean> {
    if (this.#found > 0 || this.#unreadable.length > 0) return false;
    return (await countSourceImages(this.#database.pool, this.#source.id, [])) > 0;
  }

  /** Its images stay. */
  async #refuseSource(reason: ReasonCode, message: string): Promise<void> {
    this.#counts.files++;
    if (this.#options.dryRun) return;
    const payload = { task: 'refuse', reason, message } as const;
    const { jobId, now } = this.#options;
    await addFinishedItems(
      ...([this.#database.pool, jobId] as const),
      [{ key: this.#keyOf(''), payload, state: 'FAILED', reasonCode: payload.reason, message }],
      now,
    );
  }

  async #countMissing(): Promise<void> {
    const { pool } = this.#database;
    const all = await countSourceImages(pool, this.#source.id, this.#unreadable);
    this.#addVanished(Math.max(0, all - this.#present));
  }

  async #addMissing(): Promise<void> {
    const { pool } = this.#database;
    const { jobId, prune } = this.#options;
    const sourceId = this.#source.id;
    const filter: MissingFilter = { sourceId, jobId, except: this.#unreadable };
    let after: ImageId | null = null;
    for (;;) {
      const page: readonly FileState[] = await listMissing(pool, filter, { after, limit: 1000 });
      const last = page.at(-1);
      if (last === undefined) return;
      after = last.id;
      this.#addVanished(page.length);
      if (!prune) continue;
      const removals = page.map(({ id, path }) => ({
        key: path,
        payload: { task: 'remove', imageId: id.toString(), sourceId } satisfies IngestPayload,
      }));
      await addItems(pool, jobId, removals);
    }
  }

  #addVanished(count: number): void {
    this.#counts.vanished += count;
    if (this.#options.prune) this.#counts.toRemove += count;
  }

  #keyOf(path: string): string {
    return `${this.#source.name}/${path}`;
  }
}

type Keyed = Scanned & { readonly key: string };

function isUnchanged(file: Scanned, state: FileState | undefined): boolean {
  return file.kind === 'file' && state?.bytes === file.bytes && state.mtimeNs === file.mtimeNs;
}

/** What becomes of a page's new and changed files. */
class PagePlan {
  readonly toRead: { key: string; payload: IngestPayload }[] = [];
  readonly finished: Parameters<typeof addFinishedItems>[2][number][] = [];
  bytesToRead = 0;
  readonly #sourceId: string;
  readonly #settleSeconds: number;

  constructor(sourceId: string, settleSeconds: number) {
    this.#sourceId = sourceId;
    this.#settleSeconds = settleSeconds;
  }

  add(file: Keyed, earlier: EarlierOutcome | undefined): void {
    const { key } = file;
    if (file.kind === 'refused') {
      const { reason, message } = file;
      const payload: IngestPayload = { task: 'refuse', reason, message };
      this.finished.push({ key, payload, state: 'FAILED', reasonCode: reason, message });
      return;
    }
    const payload: IngestPayload = {
      ...{ task: 'read', sourceId: this.#sourceId, bytes: file.bytes },
      ...{ mtimeNs: file.mtimeNs.toString(), decoder: DECODER_VERSION },
    };
    const reason = failedBefore(payload, earlier) ?? unsettled(file.mtimeNs, this.#settleSeconds);
    if (reason === null) {
      this.toRead.push({ key, payload });
      this.bytesToRead += file.bytes;
    } else this.finished.push({ key, payload, state: 'SKIPPED', ...reason });
  }
}

interface SkipReason {
  readonly reasonCode: string;
  readonly message: string | null;
}

/** How far ahead of ours a file server's clock may be. What lies further in the future has a wrong time and won't settle. */
const CLOCK_SKEW_SECONDS = 1;

/**
 * Whether the file may still be being written. By the clock of this moment, not the job's: a plan takes minutes, and what
 * is written meanwhile would seem to lie in the future.
 */
function unsettled(mtimeNs: bigint, settleSeconds: number): SkipReason | null {
  if (settleSeconds === 0) return null;
  const ageSeconds = Date.now() / 1000 - Number(mtimeNs) / 1e9;
  if (ageSeconds >= settleSeconds || ageSeconds < -CLOCK_SKEW_SECONDS) return null;
  const message = `It was written less than ${settleSeconds} s before; a later scan reads it.`;
  return { reasonCode: 'SETTLING' satisfies ReasonCode, message };
}

/** Why the same file couldn't be read the last time, if the reason lies in its bytes. */
function failedBefore(now: IngestPayload, earlier: EarlierOutcome | undefined): SkipReason | null {
  if (earlier === undefined || earlier.state === 'DONE') return null;
  const { reasonCode, message, payload } = earlier;
  if (reasonCode === null || !isLasting(reasonCode)) return null;
  const before = ingestItem.safeParse(payload).data;
  if (before?.task !== 'read' || now.task !== 'read') return null;
  const isSame =
    before.bytes === now.bytes &&
    before.mtimeNs.toString() === now.mtimeNs &&
    before.decoder === now.decoder;
  return isSame ? { reasonCode, message } : null;
}
