import { startIngest } from '../../../indexer/jobs/ingest.ts';
import type { Bundle } from '../../../models/bundle.ts';
import { createSearchableCollection } from '../../../indexer/collections.ts';
import type { Database } from '../../../store/database.ts';
import type { CollectionId } from '../../../store/ids.ts';
import type { JobRecord } from '../../../store/jobs.ts';
import { addSource } from '../../../store/sources.ts';

export interface Bench {
  readonly database: Database;
  /** For files of the benchmark's own. */
  readonly folder: string;
  readonly dataFolder: string;
  readonly photos: number;
  readonly rounds: number;
  readonly msPerPhoto: number;
  /** A folder of real photos. */
  readonly dataset: string;
}

export interface Row {
  readonly what: string;
  readonly value: number;
  readonly goal?: readonly ['≥' | '≤', number];
}

export async function newSource(
  { database }: Pick<Bench, 'database'>,
  bundle: Bundle,
  { name, folder }: { readonly name: string; readonly folder: string },
): Promise<CollectionId> {
  const { id } = await createSearchableCollection(database, bundle, { name });
  await addSource(database.prisma, { collectionId: id, name: 'src', folder });
  return id;
}

export function ingest(
  { database }: Pick<Bench, 'database'>,
  collectionId: CollectionId,
): Promise<JobRecord> {
  return startIngest(database, {
    ...{ collectionId, prune: false, dryRun: false, createdBy: 'bench', idempotencyKey: null },
    now: new Date(),
  });
}

/** Forgets what the round before indexed. */
export async function empty({ database }: Pick<Bench, 'database'>): Promise<void> {
  await database.pool.query('TRUNCATE embeddings, images, index_entries, job_items CASCADE');
  await database.pool.query('DELETE FROM jobs');
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}
