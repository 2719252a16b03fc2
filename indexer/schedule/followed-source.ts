import type { Logger } from '../../platform/logger.ts';
import type { Database } from '../../store/database.ts';
import type { JobId } from '../../store/ids.ts';
import { findJob, isOver, listUnfinishedJobs } from '../../store/jobs.ts';
import { hasOutcome } from '../../store/ledger.ts';
import type { SourceRecord } from '../../store/sources.ts';
import { coversSource, startIngest } from '../jobs/ingest.ts';
import type { WatchFolder } from './folder-watcher.ts';
import { patienceSeconds, secondsBetween, Settling } from './settling.ts';
import { SourceWatch } from './source-watch.ts';

export interface FollowOptions {
  readonly database: Database;
  readonly logger: Logger;
  readonly now: () => Date;
  readonly watchFolder: WatchFolder;
}

type Reason = 'schedule' | 'watcher';

/** Where the system doesn't watch any more, the folder is scanned so often instead. */
const INSTEAD_OF_WATCHING_SECONDS = 60;

/** One source that is kept up with: starts an ingest of it when its time has come or its folder has changed. */
export class FollowedSource {
  readonly #options: FollowOptions;
  readonly #watch: SourceWatch;
  readonly #changes = new Settling();
  #source: SourceRecord;
  /** Whether a scan is wanted at once: nobody watched before. */
  #isUnknown = false;
  /** The last ingest that was started here, until somebody looked what came of it. */
  #job: { readonly id: JobId; readonly reason: Reason } | null = null;
  #startedAt: Date | null = null;
  /** Files that hadn't settled: when to look again, and how often that was so in a row. */
  #again: { readonly at: Date; readonly reason: Reason } | null = null;
  #unsettledScans = 0;
  #step: Promise<void> | null = null;

  constructor(source: SourceRecord, options: FollowOptions) {
    const logger = options.logger.child({ source: source.name, folder: source.folder });
    this.#options = { ...options, logger };
    this.#source = source;
    this.#watch = new SourceWatch({
      ...{ folder: source.folder, watchFolder: options.watchFolder, logger },
      onChange: () => {
        this.#changes.touch(options.now());
      },
    });
  }

  /** Looks after the source, unless it is still at it: a disk that hangs holds up nobody else. */
  follow(source: SourceRecord): void {
    this.#source = source;
    this.#step ??= this.#look()
      .catch((error: unknown) => {
        this.#options.logger.error({ err: error }, 'A source could not be followed; it goes on.');
      })
      .finally(() => {
        this.#step = null;
      });
  }

  async close(): Promise<void> {
    await this.#step;
    this.#watch.close();
  }

  async #look(): Promise<void> {
    await this.#lookAfterWatch();
    await this.#lookAfterJob();
    const reason = this.#reasonToScan();
    if (reason === null || (await this.#isBeingScanned())) return;
    await this.#start(reason);
  }

  async #lookAfterWatch(): Promise<void> {
    if (!this.#source.watches) {
      this.#watch.close();
      this.#changes.clear();
      this.#isUnknown = false;
    } else if (await this.#watch.look(this.#options.now())) this.#isUnknown = true;
    if (this.#watch.phase === 'away') this.#changes.clear(); // all is looked at when it is back
  }

  async #lookAfterJob(): Promise<void> {
    if (this.#job === null) return;
    const { database, now } = this.#options;
    const { id, reason } = this.#job;
    const job = await findJob(database.prisma, id);
    if (job !== null && !isOver(job)) return;
    this.#job = null;
    if (job === null || !(await hasOutcome(database.pool, id, 'SETTLING'))) {
      this.#unsettledScans = 0;
      return;
    }
    const { settleSeconds } = this.#source;
    const wait = Math.max(1, settleSeconds) * 2 ** Math.min(this.#unsettledScans, 20);
    const seconds = Math.min(wait, patienceSeconds(settleSeconds));
    this.#unsettledScans++;
    this.#again = { at: new Date(now().getTime() + seconds * 1000), reason };
  }

  #reasonToScan(): Reason | null {
    const now = this.#options.now();
    if (this.#isUnknown) return 'watcher';
    if (this.#isRescanDue(now)) return 'schedule';
    if (this.#changes.isPending) {
      return this.#changes.isDue(now, this.#source.settleSeconds) ? 'watcher' : null;
    }
    return this.#again !== null && now >= this.#again.at ? this.#again.reason : null;
  }

  /** A scan that failed counts, too: it is tried again when the next one is due. */
  #isRescanDue(now: Date): boolean {
    const { rescanEverySeconds, lastScannedAt, createdAt } = this.#source;
    const instead = this.#watch.phase === 'refused' ? INSTEAD_OF_WATCHING_SECONDS : Infinity;
    const interval = Math.min(rescanEverySeconds ?? Infinity, instead);
    const scannedAt = lastScannedAt ?? createdAt;
    const last =
      this.#startedAt !== null && this.#startedAt > scannedAt ? this.#startedAt : scannedAt;
    return secondsBetween(last, now) >= interval;
  }

  async #isBeingScanned(): Promise<boolean> {
    const { id, collectionId } = this.#source;
    const jobs = await listUnfinishedJobs(this.#options.database.prisma, 'INGEST', collectionId);
    return jobs.some((job) => coversSource(job, id));
  }

  async #start(reason: Reason): Promise<void> {
    const { database, logger, now } = this.#options;
    const { id, collectionId, prunes, settleSeconds } = this.#source;
    if (!(await this.#watch.refresh(now()))) return; // the folder is gone
    const isUnknown = this.#isUnknown || this.#changes.isPending;
    this.#changes.clear(); // what comes from now on may be missed by the scan
    try {
      const job = await startIngest(database, {
        ...{ collectionId, prune: prunes, dryRun: false, sourceIds: [id], settleSeconds },
        ...{ createdBy: reason, idempotencyKey: null, now: now() },
      });
      this.#job = { id: job.id, reason };
      this.#startedAt = job.createdAt;
      this.#again = null;
      this.#isUnknown = false;
      logger.info({ job: job.id, reason }, 'A source is scanned.');
    } catch (error) {
      this.#isUnknown = isUnknown;
      throw error;
    }
  }
}
