import { throwIfAborted } from '../../platform/errors.ts';
import type { Logger } from '../../platform/logger.ts';
import { makeFolder } from '../../platform/make-folder.ts';
import { countIndexed, readChanges, readLastSeq, type IndexKey } from '../../store/changes.ts';
import type { Queryable } from '../../store/transaction.ts';
import { createIndex } from './create-index.ts';
import { chooseEngine, type EngineSetting } from './engines.ts';
import { Follower, type Change } from './follower.ts';
import type { Restored } from './snapshot.ts';
import { snapshotFile } from './snapshot-files.ts';
import type { ThreadIndex } from './thread-index.ts';

/** An index over what the store has of a collection in a vision space. */
export interface StoredIndexOptions {
  readonly key: IndexKey;
  /** Of the vision space. */
  readonly fingerprint: string;
  readonly dimensions: number;
  readonly engine: EngineSetting;
  /** Vectors up to which `auto` compares with all. Default 50,000. */
  readonly exactLimit?: number | undefined;
  /** Where snapshots lie. */
  readonly folder: string;
  readonly db: Queryable;
  readonly logger: Logger;
}

/**
 * The index as its snapshot has it, or empty; a follower takes it from there. A snapshot that knows a future the database doesn't
 * have isn't used: the database was set back.
 */
export async function openStoredIndex(
  options: StoredIndexOptions,
): Promise<{ readonly index: ThreadIndex; readonly restored: Restored }> {
  const { key, db, logger, folder, dimensions, fingerprint } = options;
  const expectedCount = await countIndexed(db, key);
  const engine = chooseEngine(options.engine, expectedCount, options.exactLimit);
  const snapshot = snapshotFile(folder, key, engine);
  const settings = { engine, dimensions, fingerprint, expectedCount };
  await makeFolder(folder);
  const opened = await createIndex({ ...settings, snapshot });
  const { index, restored } = opened;
  if (restored.outcome === 'QUARANTINED') {
    const { reason, movedTo } = restored;
    logger.warn({ snapshot, movedTo, reason }, 'A snapshot was unusable; building it again.');
  }
  if (restored.outcome !== 'RESTORED' || restored.lastSeq <= (await readLastSeq(db))) return opened;
  logger.warn({ snapshot }, 'A snapshot is ahead of the database; building it again.');
  await index.close();
  return createIndex(settings);
}

/** A batch of the store's becomes changes that all carry its last number: half a batch is never remembered as done. */
export async function readStoredChanges(
  { db, key, dimensions }: Pick<StoredIndexOptions, 'db' | 'key' | 'dimensions'>,
  seq: bigint,
  limit: number,
): Promise<readonly Change[]> {
  const batch = await readChanges(db, key, { after: seq, limit });
  if (batch === null) return [];
  const { lastSeq, ids, vectors, removed } = batch;
  const added = Array.from(ids, (id, row): Change => {
    const vector = vectors.subarray(row * dimensions, (row + 1) * dimensions);
    return { seq: lastSeq, kind: 'add', id, vector };
  });
  return [...removed.map((id): Change => ({ seq: lastSeq, kind: 'remove', id })), ...added];
}

export interface CurrentIndex {
  readonly index: ThreadIndex;
  /** Writes its snapshot; gives the file. */
  save(): Promise<string>;
}

/** Gives `use` an index that holds what the store holds now, and closes it afterwards. */
export async function withCurrentIndex<T>(
  options: StoredIndexOptions,
  signal: AbortSignal,
  use: (current: CurrentIndex) => Promise<T>,
): Promise<T> {
  const { index, restored } = await openStoredIndex(options);
  const ended = new AbortController();
  const follower = new Follower({
    index,
    startSeq: restored.outcome === 'RESTORED' ? restored.lastSeq : 0n,
    source: { changesAfter: (seq, limit) => readStoredChanges(options, seq, limit) },
    onFailure: (error) => {
      options.logger.warn({ err: error }, 'The index could not take in changes; it tries again.');
    },
  });
  const following = follower.run(AbortSignal.any([signal, ended.signal]));
  try {
    await follower.caughtUp();
    throwIfAborted(signal);
    const path = snapshotFile(options.folder, options.key, index.engine);
    const save = async (): Promise<string> => {
      await index.save(path, follower.seq);
      return path;
    };
    return await use({ index, save });
  } finally {
    ended.abort();
    await following;
    await index.close();
  }
}
