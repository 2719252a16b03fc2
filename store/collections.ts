import { z } from 'zod';
import { PlatformError } from '../platform/errors.ts';
import type { PrismaClient } from './database.ts';
import { asCollectionId, isUuid, type CollectionId } from './ids.ts';
import { isRowMissing, isUniqueViolation } from './prisma-errors.ts';

export interface CollectionRecord {
  readonly id: CollectionId;
  readonly name: string;
  readonly description: string;
  readonly createdAt: Date;
}

const NEW_COLLECTION = z.object({
  name: z
    .string()
    .normalize('NFC')
    .regex(/^[\p{L}\p{N}][\p{L}\p{M}\p{N} ._-]{0,99}$/u),
  description: z.string().max(2000).default(''),
});

export async function createCollection(
  prisma: PrismaClient,
  input: z.input<typeof NEW_COLLECTION>,
): Promise<CollectionRecord> {
  const parsed = NEW_COLLECTION.safeParse(input);
  if (!parsed.success) {
    throw new PlatformError(
      'BAD_USER_INPUT',
      'A collection is named with 1 to 100 letters, digits, spaces, dots, dashes or underscores, a letter or digit first; its description has at most 2,000 characters.',
    );
  }
  try {
    return toRecord(await prisma.collection.create({ data: parsed.data }));
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    throw new PlatformError('CONFLICT', `There is a collection "${parsed.data.name}" already.`);
  }
}

export async function findCollection(
  prisma: PrismaClient,
  name: string,
): Promise<CollectionRecord | null> {
  const row = await prisma.collection.findUnique({ where: { name: name.normalize('NFC') } });
  return row && toRecord(row);
}

export async function getCollection(prisma: PrismaClient, name: string): Promise<CollectionRecord> {
  const collection = await findCollection(prisma, name);
  if (collection) return collection;
  throw new PlatformError('NOT_FOUND', `There is no collection "${name}".`);
}

export async function findCollectionsByIds(
  prisma: PrismaClient,
  ids: readonly CollectionId[],
): Promise<readonly CollectionRecord[]> {
  const rows = await prisma.collection.findMany({ where: { id: { in: ids.filter(isUuid) } } });
  return rows.map(toRecord);
}

export interface CollectionPage {
  /** Names after this one. */
  readonly after: string | null;
  readonly limit: number;
  /** Only these; null: all. */
  readonly among: readonly CollectionId[] | null;
}

/** By name, in the database's order. */
export async function listCollections(
  prisma: PrismaClient,
  { after, limit, among }: CollectionPage,
): Promise<readonly CollectionRecord[]> {
  const rows = await prisma.collection.findMany({
    where: {
      ...(after === null ? {} : { name: { gt: after } }),
      ...(among === null ? {} : { id: { in: [...among] } }),
    },
    orderBy: { name: 'asc' },
    take: limit,
  });
  return rows.map(toRecord);
}

export function countCollections(
  prisma: PrismaClient,
  among: readonly CollectionId[] | null,
): Promise<number> {
  return prisma.collection.count({ where: among === null ? {} : { id: { in: [...among] } } });
}

/** With its images, jobs and generations. Embeddings stay for others. */
export async function deleteCollection(prisma: PrismaClient, id: CollectionId): Promise<void> {
  try {
    await prisma.collection.delete({ where: { id } });
  } catch (error) {
    if (!isRowMissing(error)) throw error;
    throw new PlatformError('NOT_FOUND', `There is no collection ${id}.`);
  }
}

interface Row {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly createdAt: Date;
}

function toRecord(row: Row): CollectionRecord {
  return { ...row, id: asCollectionId(row.id) };
}
