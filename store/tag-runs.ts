import type { PrismaClient } from './database.ts';
import type { TagRunState } from './generated/prisma/client.ts';
import type {
  CollectionId,
  JobId,
  TagRunId,
  TextModelId,
  VisionSpaceId,
  VocabularyId,
} from './ids.ts';

export type { TagRunState };

/**
 * BUILDING (rows are written that nobody sees) → APPLIED (they show, all at once) → REVERTED. A run whose job ends otherwise stays
 * BUILDING for ever, and its rows are deleted.
 */
export interface TagRunRecord {
  readonly id: TagRunId;
  readonly collectionId: CollectionId;
  readonly vocabularyId: VocabularyId;
  readonly version: number;
  readonly visionSpaceId: VisionSpaceId;
  readonly textModelId: TextModelId;
  readonly jobId: JobId | null;
  readonly state: TagRunState;
  readonly supersededById: TagRunId | null;
  readonly options: unknown;
  readonly imageCount: number;
  readonly taggedCount: number;
  readonly tagCount: number;
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly appliedAt: Date | null;
  readonly revertedAt: Date | null;
}

export interface RunLabelRecord {
  readonly label: string;
  readonly count: number;
  readonly threshold: number;
  readonly isCalibrated: boolean;
}

/** Those that aren't there are left out. */
export async function findTagRunsByIds(
  { tagRun }: Pick<PrismaClient, 'tagRun'>,
  ids: readonly TagRunId[],
): Promise<ReadonlyMap<string, TagRunRecord>> {
  const rows = await tagRun.findMany({ where: { id: { in: [...ids] } } });
  return new Map(rows.map((row) => [row.id, row as unknown as TagRunRecord]));
}
