import { PlatformError } from '../platform/errors.ts';
import type { PrismaClient } from './database.ts';
import { asCollectionId, asSourceId, type CollectionId, type SourceId } from './ids.ts';
import { isUniqueViolation } from './prisma-errors.ts';
import { checkSchedule, type SourceSchedule } from './source-schedule.ts';

export interface SourceRecord extends SourceSchedule {
  readonly id: SourceId;
  readonly collectionId: CollectionId;
  readonly name: string;
  readonly folder: string;
  readonly createdAt: Date;
  readonly lastScannedAt: Date | null;
}

export interface NewSource extends Partial<SourceSchedule> {
  readonly collectionId: CollectionId;
  /** The first part of its images' paths; without slashes. */
  readonly name: string;
  /** Checked by the caller: absolute, real, under an allowed root. */
  readonly folder: string;
}

/** First part of the paths of uploaded images. */
const UPLOADS = 'uploads';

export async function addSource(prisma: PrismaClient, source: NewSource): Promise<SourceRecord> {
  if (source.name === '' || source.name.includes('/')) {
    throw new PlatformError('BAD_USER_INPUT', 'A source has a name without slashes.');
  }
  if (source.name === UPLOADS) {
    throw new PlatformError(
      'BAD_USER_INPUT',
      `"${UPLOADS}" is where uploads are; name it otherwise.`,
    );
  }
  checkSchedule(source);
  try {
    return toRecord(await prisma.source.create({ data: source }));
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    throw new PlatformError(
      'CONFLICT',
      'The collection has a source of this name or folder already.',
    );
  }
}

export async function listSources(
  prisma: PrismaClient,
  collectionId: CollectionId,
): Promise<readonly SourceRecord[]> {
  const rows = await prisma.source.findMany({ where: { collectionId }, orderBy: { name: 'asc' } });
  return rows.map(toRecord);
}

export async function listSourcesOf(
  prisma: PrismaClient,
  collectionIds: readonly CollectionId[],
): Promise<readonly SourceRecord[]> {
  const rows = await prisma.source.findMany({
    where: { collectionId: { in: [...collectionIds] } },
    orderBy: { name: 'asc' },
  });
  return rows.map(toRecord);
}

export async function findSource(prisma: PrismaClient, id: SourceId): Promise<SourceRecord | null> {
  const row = await prisma.source.findUnique({ where: { id } });
  return row && toRecord(row);
}

/** Sources that want to be scanned by themselves. */
export async function listScheduledSources(prisma: PrismaClient): Promise<readonly SourceRecord[]> {
  const rows = await prisma.source.findMany({
    where: { OR: [{ rescanEverySeconds: { not: null } }, { watches: true }] },
    orderBy: { id: 'asc' },
  });
  return rows.map(toRecord);
}

/** Changes what is given. A scheduler takes it up within seconds. */
export async function updateSource(
  prisma: PrismaClient,
  id: SourceId,
  changes: Partial<SourceSchedule>,
): Promise<SourceRecord> {
  checkSchedule(changes);
  const [row] = await prisma.source.updateManyAndReturn({ where: { id }, data: changes });
  if (row) return toRecord(row);
  throw new PlatformError('NOT_FOUND', 'The source is gone.');
}

export async function markScanned(prisma: PrismaClient, id: SourceId, at: Date): Promise<void> {
  await prisma.source.updateMany({ where: { id }, data: { lastScannedAt: at } });
}

type Row = Omit<SourceRecord, 'id' | 'collectionId'> & { id: string; collectionId: string };

function toRecord(row: Row): SourceRecord {
  return { ...row, id: asSourceId(row.id), collectionId: asCollectionId(row.collectionId) };
}
