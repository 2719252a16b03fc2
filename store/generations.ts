import type { Pool } from 'pg';
import { PlatformError } from '../platform/errors.ts';
import type { PrismaClient } from './database.ts';
import type { Generation, GenerationState } from './generated/prisma/client.ts';
import {
  asCollectionId,
  asGenerationId,
  asVisionSpaceId,
  type CollectionId,
  type GenerationId,
  type VisionSpaceId,
} from './ids.ts';
import { inTransaction, type Queryable } from './transaction.ts';

export type { GenerationState };

export interface GenerationCheck {
  readonly name: string;
  readonly passed: boolean;
  readonly detail: string;
}

/**
 * BUILDING → READY (checked) → LIVE (searched) → RETIRED (kept for roll-back) → LIVE again; BUILDING → FAILED.
 */
export interface GenerationRecord {
  readonly id: GenerationId;
  readonly collectionId: CollectionId;
  readonly visionSpaceId: VisionSpaceId;
  /** From 1, counted within the collection. */
  readonly number: number;
  readonly state: GenerationState;
  readonly checks: unknown;
  readonly createdAt: Date;
  readonly promotedAt: Date | null;
}

export async function createGeneration(
  pool: Pool,
  prisma: PrismaClient,
  { collectionId, visionSpaceId }: { collectionId: CollectionId; visionSpaceId: VisionSpaceId },
): Promise<GenerationRecord> {
  const id = await inTransaction(pool, async (client) => {
    await lockCollection(client, collectionId);
    const { rows } = await client.query<{ id: string }>(
      `INSERT INTO generations (collection_id, vision_space_id, number)
       SELECT $1, $2, 1 + coalesce(max(number), 0) FROM generations WHERE collection_id = $1
       RETURNING id`,
      [collectionId, visionSpaceId],
    );
    return rows[0]?.id ?? '';
  });
  return toGenerationRecord(await prisma.generation.findUniqueOrThrow({ where: { id } }));
}

/** A new collection's generation 1, live at once because there is nothing to check; nothing when it has one already. */
export async function createFirstGeneration(
  pool: Pool,
  { collectionId, visionSpaceId }: { collectionId: CollectionId; visionSpaceId: VisionSpaceId },
  now: Date,
): Promise<void> {
  await inTransaction(pool, async (client) => {
    await lockCollection(client, collectionId);
    await client.query(
      `INSERT INTO generations (collection_id, vision_space_id, number, state, promoted_at)
       SELECT $1, $2, 1, 'LIVE', $3
       WHERE NOT EXISTS (SELECT FROM generations WHERE collection_id = $1)`,
      [collectionId, visionSpaceId, now],
    );
  });
}

export async function markGenerationReady(
  prisma: PrismaClient,
  id: GenerationId,
  checks: readonly GenerationCheck[],
): Promise<void> {
  const state = checks.every(({ passed }) => passed) ? 'READY' : 'FAILED';
  const data = { state, checks: checks.map((check) => ({ ...check })) } as const;
  const { count } = await prisma.generation.updateMany({ where: { id, state: 'BUILDING' }, data });
  if (count === 0) throw new PlatformError('CONFLICT', 'The generation is not being built.');
}

/** Makes a READY or RETIRED generation the live one and retires the one before, at one moment for all readers. */
export async function promoteGeneration(pool: Pool, id: GenerationId, now: Date): Promise<void> {
  await inTransaction(pool, async (client) => {
    const { rows } = await client.query<{ collection_id: string }>(
      'SELECT collection_id FROM generations WHERE id = $1',
      [id],
    );
    const collectionId = rows[0]?.collection_id;
    if (collectionId === undefined) {
      throw new PlatformError('NOT_FOUND', `There is no generation ${id}.`);
    }
    await lockCollection(client, collectionId);
    await client.query(
      "UPDATE generations SET state = 'RETIRED' WHERE collection_id = $1 AND state = 'LIVE' AND id <> $2",
      [collectionId, id],
    );
    const { rowCount } = await client.query(
      `UPDATE generations SET state = 'LIVE', promoted_at = $2
       WHERE id = $1 AND state IN ('READY', 'RETIRED', 'LIVE')`,
      [id, now],
    );
    if (rowCount === 1) return;
    throw new PlatformError('CONFLICT', 'Only a ready or retired generation can go live.');
  });
}

export async function findLiveGeneration(
  prisma: PrismaClient,
  collectionId: CollectionId,
): Promise<GenerationRecord | null> {
  const row = await prisma.generation.findFirst({ where: { collectionId, state: 'LIVE' } });
  return row && toGenerationRecord(row);
}

/** Newest first. */
export async function listGenerations(
  prisma: PrismaClient,
  collectionId: CollectionId,
): Promise<readonly GenerationRecord[]> {
  const rows = await prisma.generation.findMany({
    where: { collectionId },
    orderBy: { number: 'desc' },
  });
  return rows.map(toGenerationRecord);
}

/** One at a time decides over a collection's generations. */
async function lockCollection(client: Queryable, collectionId: string): Promise<void> {
  await client.query('SELECT FROM collections WHERE id = $1 FOR NO KEY UPDATE', [collectionId]);
}

export function toGenerationRecord(row: Generation): GenerationRecord {
  return {
    ...row,
    id: asGenerationId(row.id),
    collectionId: asCollectionId(row.collectionId),
    visionSpaceId: asVisionSpaceId(row.visionSpaceId),
  };
}
