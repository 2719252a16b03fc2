import { floatsOf, hexOf } from './embeddings.ts';
import { asImageId, type CollectionId, type ImageId, type VisionSpaceId } from './ids.ts';
import type { Queryable } from './transaction.ts';

/** What an index is over. */
export interface IndexKey {
  readonly collectionId: CollectionId;
  readonly visionSpaceId: VisionSpaceId;
}

/** NOTIFY's channel; the payload is the collection's id. */
export const CHANGE_CHANNEL = 'sharelock_index';

/*
 * How followers miss nothing.
 *
 * Numbers of a sequence are taken before they are committed, so 5 may become visible before 4, and a follower that
 * remembers "5" would never see 4. Hence whoever writes entries first takes the collection's lock, then its numbers, and
 * keeps the lock until its commit is visible: within a collection numbers become visible in order, and `seq > last` is
 * all a follower needs. The alternative, xid8 and pg_snapshot_xmin, needs no lock but stands still as long as any
 * transaction in the cluster does, a backup's included. The lock costs the time of one commit; writers of different
 * collections don't meet. Take it last in a transaction: recordIndexed and recordRemoved are its final statements.
 *
 * An entry is a state, not an event: one row an image, moved to the end when it changes. A follower that was away for
 * long, or begins at 0, reads each image once; nothing has to be pruned for it.
 */
async function lockCollection(client: Queryable, collectionId: CollectionId): Promise<void> {
  await client.query(`SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`, [
    `index entries of ${collectionId}`,
  ]);
  await client.query('SELECT pg_notify($1, $2)', [CHANGE_CHANNEL, collectionId]); // sent at commit
}

/**
 * Embeddings are deleted only while nobody makes entries of them: those who index share this lock, who reclaims has it alone, and
 * sees every entry that was made before. An embedding that went while its entry was on the way fails the entry, which is tried again.
 */
const RECLAIM_LOCK = `hashtextextended('embeddings of ' || $1::text, 0)`;

/** Waits for those who index in the vision space or change the collection's entries, and holds them up until the transaction ends. */
export async function lockForReclaiming(
  client: Queryable,
  { collectionId, visionSpaceId }: IndexKey,
): Promise<void> {
  await lockCollection(client, collectionId);
  await client.query(`SELECT pg_advisory_xact_lock(${RECLAIM_LOCK})`, [visionSpaceId]);
}

/**
 * Makes images searchable: an index over the key takes each with the embedding of its bytes. All of them must have one.
 * Also when an image's bytes changed. Call it last in the transaction that stored images and embeddings.
 */
export async function recordIndexed(
  client: Queryable,
  { collectionId, visionSpaceId }: IndexKey,
  imageIds: readonly ImageId[],
): Promise<void> {
  if (imageIds.length === 0) return;
  await lockCollection(client, collectionId);
  await client.query(`SELECT pg_advisory_xact_lock_shared(${RECLAIM_LOCK})`, [visionSpaceId]);
  const { rowCount } = await client.query(
    `INSERT INTO index_entries (vision_space_id, image_id, collection_id, sha256, seq)
     SELECT e.vision_space_id, i.id, i.collection_id, e.sha256, nextval('index_seq')
     FROM images i JOIN embeddings e ON e.vision_space_id = $2 AND e.sha256 = i.sha256
     WHERE i.collection_id = $1 AND i.id = ANY($3::bigint[])
     ON CONFLICT (vision_space_id, image_id) DO UPDATE SET sha256 = excluded.sha256, seq = excluded.seq`,
    [collectionId, visionSpaceId, imageIds],
  );
  if (rowCount !== new Set(imageIds).size) {
    throw new Error('Only images with an embedding can be recorded as indexed.');
  }
}

/**
 * The same after embeddings were replaced: other collections that have these bytes take the new ones in, too. Collections are locked in
 * the order of their ids, so that two such writers can't wait for each other.
 */
export async function recordReplaced(
  client: Queryable,
  { collectionId, visionSpaceId }: IndexKey,
  { imageIds, sha256s }: { imageIds: readonly ImageId[]; sha256s: readonly Uint8Array[] },
): Promise<void> {
  const { rows } = await client.query<{ collection: CollectionId; ids: string[] }>(
    `SELECT i.collection_id AS collection, array_agg(i.id::text) AS ids
     FROM images i JOIN index_entries n ON n.vision_space_id = $2 AND n.image_id = i.id AND n.sha256 = i.sha256
     WHERE i.collection_id <> $1 AND i.sha256 IN (SELECT decode(unnest($3::text[]), 'hex'))
     GROUP BY 1`,
    [collectionId, visionSpaceId, sha256s.map(hexOf)],
  );
  const all = new Map(rows.map(({ collection, ids }) => [collection, ids.map(asImageId)]));
  all.set(collectionId, [...imageIds]);
  for (const [collection, ids] of [...all].sort(([a], [b]) => (a < b ? -1 : 1))) {
    await recordIndexed(client, { collectionId: collection, visionSpaceId }, ids);
  }
}

/** How many images of a collection lack an entry with the embedding of their bytes. */
export async function countUnindexed(
  db: Queryable,
  { collectionId, visionSpaceId }: IndexKey,
): Promise<number> {
  const { rows } = await db.query<{ count: string }>(
    `SELECT count(*) FROM images i WHERE i.collection_id = $1 AND NOT EXISTS (
       SELECT FROM index_entries n WHERE n.vision_space_id = $2 AND n.image_id = i.id AND n.sha256 = i.sha256)`,
    [collectionId, visionSpaceId],
  );
  return Number(rows[0]?.count ?? 0);
}

/** Takes images out of every index of their collection. `deleteImages` calls it. */
export async function recordRemoved(
  client: Queryable,
  collectionId: CollectionId,
  imageIds: readonly ImageId[],
): Promise<void> {
  if (imageIds.length === 0) return;
  await lockCollection(client, collectionId);
  await client.query(
    `UPDATE index_entries SET sha256 = NULL, seq = nextval('index_seq')
     WHERE collection_id = $1 AND image_id = ANY($2::bigint[])`,
    [collectionId, imageIds],
  );
}

export interface IndexChanges {
  /** Ask for what comes after this next time. */
  readonly lastSeq: bigint;
  /** To add, or to replace where the index has them. */
  readonly ids: BigUint64Array;
  /** Row-major, one row an id. */
  readonly vectors: Float32Array;
  readonly removed: readonly ImageId[];
}

/** The changes after a sequence number, oldest first, at most `limit`; from 0 the whole index. Null: there are none. */
export async function readChanges(
  db: Queryable,
  { collectionId, visionSpaceId }: IndexKey,
  { after, limit }: { after: bigint; limit: number },
): Promise<IndexChanges | null> {
  const { rows } = await db.query<ChangeRow>(
    `SELECT c.image_id, c.seq, e.vector
     FROM index_entries c LEFT JOIN embeddings e USING (vision_space_id, sha256)
     WHERE c.collection_id = $1 AND c.vision_space_id = $2 AND c.seq > $3
     ORDER BY c.seq LIMIT $4`,
    [collectionId, visionSpaceId, after, limit],
  );
  const last = rows.at(-1);
  return last === undefined ? null : toChanges(rows, BigInt(last.seq));
}

interface ChangeRow {
  readonly image_id: string;
  readonly seq: string;
  readonly vector: Buffer | null;
}

function toChanges(rows: readonly ChangeRow[], lastSeq: bigint): IndexChanges {
  const added = rows.flatMap(({ image_id: id, vector }) => (vector ? [{ id, vector }] : []));
  return {
    lastSeq,
    ids: BigUint64Array.from(added, ({ id }) => BigInt(id)),
    vectors: floatsOf(Buffer.concat(added.map(({ vector }) => vector))),
    removed: rows.flatMap((row) => (row.vector ? [] : [asImageId(row.image_id)])),
  };
}

/** How many changes an index that has everything up to `after` doesn't know yet. */
export async function countChanges(db: Queryable, key: IndexKey, after: bigint): Promise<number> {
  return count(db, key, 'seq > $3', [after]);
}

/** How many images a complete index over the key holds. */
export async function countIndexed(db: Queryable, key: IndexKey): Promise<number> {
  return count(db, key, 'sha256 IS NOT NULL', []);
}

export interface Indexed {
  readonly count: number;
  /** Number of the last change; 0: there was none. */
  readonly lastSeq: bigint;
}

/** The same with the number of the last change, both of one moment. */
export async function readIndexed(
  db: Queryable,
  { collectionId, visionSpaceId }: IndexKey,
): Promise<Indexed> {
  const { rows } = await db.query<{ count: string; last: string }>(
    `SELECT count(sha256) AS count, coalesce(max(seq), 0) AS last FROM index_entries
     WHERE collection_id = $1 AND vision_space_id = $2`,
    [collectionId, visionSpaceId],
  );
  return { count: Number(rows[0]?.count ?? 0), lastSeq: BigInt(rows[0]?.last ?? 0) };
}

async function count(
  db: Queryable,
  { collectionId, visionSpaceId }: IndexKey,
  condition: string,
  parameters: readonly bigint[],
): Promise<number> {
  const { rows } = await db.query<{ count: string }>(
    `SELECT count(*) FROM index_entries WHERE collection_id = $1 AND vision_space_id = $2 AND ${condition}`,
    [collectionId, visionSpaceId, ...parameters],
  );
  return Number(rows[0]?.count ?? 0);
}

/** `countIndexed` of many, by `indexKeyName`. */
export async function countIndexedOf(
  db: Queryable,
  names: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const { rows } = await db.query<{ name: string; count: string }>(
    `SELECT collection_id || ' ' || vision_space_id AS name, count(*) FROM index_entries
     WHERE sha256 IS NOT NULL AND (collection_id, vision_space_id) IN (
       SELECT split_part(name, ' ', 1)::uuid, split_part(name, ' ', 2)::uuid FROM unnest($1::text[]) AS name)
     GROUP BY collection_id, vision_space_id`,
    [names],
  );
  return new Map(rows.map(({ name, count: found }) => [name, Number(found)]));
}

export function indexKeyName({ collectionId, visionSpaceId }: IndexKey): string {
  return `${collectionId} ${visionSpaceId}`;
}

/** The last number the sequence gave, whether or not it was used. Lower than a number somebody saw: the database was set back. */
export async function readLastSeq(db: Queryable): Promise<bigint> {
  const { rows } = await db.query<{ last_value: string }>('SELECT last_value FROM index_seq');
  return BigInt(rows[0]?.last_value ?? 0);
}
