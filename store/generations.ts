import type { Pool } from 'pg';
import type { PrismaClient } from './database.ts';
import type { Generation, GenerationState } from './generated/prisma/client.ts';
import {
  asCollectionId,
  asGenerationId,
  asJobId,
  asTextModelId,
  asVisionSpaceId,
  isUuid,
  type CollectionId,
  type GenerationId,
  type JobId,
  type TextModelId,
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
 * BUILDING → READY (checked) → LIVE (searched) → RETIRED (kept for a roll-back) → LIVE again; BUILDING → FAILED → BUILDING. All but
 * discarded ones are kept: they take every new image. Who moves them is in generation-switch.ts.
 */
export interface GenerationRecord {
  readonly id: GenerationId;
  readonly collectionId: CollectionId;
  readonly visionSpaceId: VisionSpaceId;
  /** From 1, counted within the collection. */
  readonly number: number;
  readonly state: GenerationState;
  /** What its searches go through. Null: none is known for its vision space. */
  readonly textModelId: TextModelId | null;
  /** The last job that built it. */
  readonly jobId: JobId | null;
  readonly checks: unknown;
  readonly createdAt: Date;
  readonly promotedAt: Date | null;
  readonly retiredAt: Date | null;
  readonly discardedAt: Date | null;
  readonly reclaimedAt: Date | null;
}

export interface NewGeneration {
  readonly collectionId: CollectionId;
  readonly visionSpaceId: VisionSpaceId;
  readonly textModelId: TextModelId | null;
}

/**
 * A new collection's generation 1, live at once because there is nothing to check. Where there is one already it gets the text
 * model that it lacks, and nothing else.
 */
export async function createFirstGeneration(
  pool: Pool,
  { collectionId, visionSpaceId, textModelId }: NewGeneration,
  now: Date,
): Promise<void> {
  await inTransaction(pool, async (client) => {
    await lockGenerations(client, collectionId);
    await client.query(
      `INSERT INTO generations (collection_id, vision_space_id, number, state, text_model_id, promoted_at)
       SELECT $1, $2, 1, 'LIVE', $3, $4
       WHERE NOT EXISTS (SELECT FROM generations WHERE collection_id = $1)`,
      [collectionId, visionSpaceId, textModelId, now],
    );
    await client.query(
      `UPDATE generations SET text_model_id = $3
       WHERE collection_id = $1 AND vision_space_id = $2 AND state = 'LIVE' AND text_model_id IS NULL`,
      [collectionId, visionSpaceId, textModelId],
    );
  });
}

/** One at a time decides over a collection's generations; those who add images (`readKeptSpaces`) wait for it. */
export async function lockGenerations(
  client: Queryable,
  collectionId: CollectionId,
): Promise<void> {
  await client.query(`SELECT pg_advisory_xact_lock(${GENERATIONS_LOCK})`, [collectionId]);
}

/** Advisory, because those queue: a row's share locks would let one commit after the other pass before who waits to switch. */
const GENERATIONS_LOCK = `hashtextextended('generations of ' || $1::text, 0)`;

/**
 * The vision spaces that new images of a collection go to. They stay the same until the transaction ends: whoever begins another
 * generation waits for it, and then sees its images.
 */
export async function readKeptSpaces(
  client: Queryable,
  collectionId: CollectionId,
): Promise<ReadonlySet<VisionSpaceId>> {
  await client.query(`SELECT pg_advisory_xact_lock_shared(${GENERATIONS_LOCK})`, [collectionId]);
  const { rows } = await client.query<{ id: string }>(
    `SELECT vision_space_id AS id FROM generations WHERE collection_id = $1 AND discarded_at IS NULL`,
    [collectionId],
  );
  return new Set(rows.map(({ id }) => asVisionSpaceId(id)));
}

export async function findLiveGeneration(
  prisma: PrismaClient,
  collectionId: CollectionId,
): Promise<GenerationRecord | null> {
  const row = await prisma.generation.findFirst({ where: { collectionId, state: 'LIVE' } });
  return row && toGenerationRecord(row);
}

export async function findGeneration(
  prisma: PrismaClient,
  id: string,
): Promise<GenerationRecord | null> {
  const row = isUuid(id) ? await prisma.generation.findUnique({ where: { id } }) : null;
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

/** Those that aren't discarded: of one collection, or of all. The live one first. */
export async function listKeptGenerations(
  prisma: PrismaClient,
  collectionId: CollectionId | null,
): Promise<readonly GenerationRecord[]> {
  const rows = await prisma.generation.findMany({
    where: { discardedAt: null, ...(collectionId === null ? {} : { collectionId }) },
    orderBy: [{ collectionId: 'asc' }, { number: 'asc' }],
  });
  const records = rows.map(toGenerationRecord);
  const isLive = ({ state }: GenerationRecord): boolean => state === 'LIVE';
  return [...records.filter(isLive), ...records.filter((record) => !isLive(record))];
}

export function toGenerationRecord(row: Generation): GenerationRecord {
  return {
    ...row,
    id: asGenerationId(row.id),
    collectionId: asCollectionId(row.collectionId),
    visionSpaceId: asVisionSpaceId(row.visionSpaceId),
    textModelId: row.textModelId === null ? null : asTextModelId(row.textModelId),
    jobId: row.jobId === null ? null : asJobId(row.jobId),
  };
}
