import { PlatformError } from '../platform/errors.ts';
import type { PrismaClient } from './database.ts';
import type { Prisma } from './generated/prisma/client.ts';
import { asTextModelId, asVisionSpaceId, type TextModelId, type VisionSpaceId } from './ids.ts';
import { isUniqueViolation } from './prisma-errors.ts';

export interface VisionSpaceDescription {
  readonly fingerprint: string;
  readonly name: string;
  readonly dimensions: number;
  readonly backbone: string;
}

export interface VisionSpaceRecord extends VisionSpaceDescription {
  readonly id: VisionSpaceId;
  readonly createdAt: Date;
}

/** The row of this vision space, made at its first use. The fingerprint says which it is; the rest describes it. */
export async function registerVisionSpace(
  prisma: PrismaClient,
  space: VisionSpaceDescription,
): Promise<VisionSpaceRecord> {
  const { fingerprint } = space;
  const row = await findOrCreate(
    () => prisma.visionSpace.findUnique({ where: { fingerprint } }),
    () => prisma.visionSpace.create({ data: space }),
  );
  if (row.dimensions !== space.dimensions) {
    throw new PlatformError(
      'MODEL_MISMATCH',
      `The vision space ${fingerprint} has ${row.dimensions} dimensions here, ${space.dimensions} in the bundle.`,
    );
  }
  return { ...row, id: asVisionSpaceId(row.id) };
}

export async function listVisionSpaces(
  prisma: PrismaClient,
): Promise<readonly VisionSpaceRecord[]> {
  const rows = await prisma.visionSpace.findMany({ orderBy: { createdAt: 'asc' } });
  return rows.map((row) => ({ ...row, id: asVisionSpaceId(row.id) }));
}

export interface TextModelDescription {
  readonly fingerprint: string;
  readonly name: string;
  readonly version: number;
  readonly visionSpaceId: VisionSpaceId;
  readonly languageModel: string;
  readonly metrics: Prisma.InputJsonObject;
}

export interface TextModelRecord extends Omit<TextModelDescription, 'metrics'> {
  readonly id: TextModelId;
  readonly metrics: Prisma.JsonValue;
  readonly createdAt: Date;
}

/** The row of this text model, made at its first use. Another model under the same name and version is refused. */
export async function registerTextModel(
  prisma: PrismaClient,
  model: TextModelDescription,
): Promise<TextModelRecord> {
  const { fingerprint } = model;
  try {
    const row = await findOrCreate(
      () => prisma.textModel.findUnique({ where: { fingerprint } }),
      () => prisma.textModel.create({ data: model }),
    );
    return toTextModel(row);
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    throw new PlatformError(
      'CONFLICT',
      `${model.name}@${model.version} is another text model here. Give the new one another version.`,
    );
  }
}

/** Prisma's `upsert` fails for one of two processes that register at the same moment. */
async function findOrCreate<Row>(
  find: () => PromiseLike<Row | null>,
  create: () => PromiseLike<Row>,
): Promise<Row> {
  const found = await find();
  if (found !== null) return found;
  try {
    return await create();
  } catch (error) {
    const made = isUniqueViolation(error) ? await find() : null;
    if (made === null) throw error;
    return made;
  }
}

/** The one that was registered last for a vision space; null: none was. */
export async function findNewestTextModel(
  prisma: PrismaClient,
  visionSpaceId: VisionSpaceId,
): Promise<TextModelRecord | null> {
  const row = await prisma.textModel.findFirst({
    where: { visionSpaceId },
    orderBy: [{ createdAt: 'desc' }, { version: 'desc' }],
  });
  return row && toTextModel(row);
}

export async function listTextModels(prisma: PrismaClient): Promise<readonly TextModelRecord[]> {
  const rows = await prisma.textModel.findMany({ orderBy: [{ name: 'asc' }, { version: 'asc' }] });
  return rows.map(toTextModel);
}

type TextModelRow = Omit<TextModelRecord, 'id' | 'visionSpaceId'> & {
  id: string;
  visionSpaceId: string;
};

function toTextModel(row: TextModelRow): TextModelRecord {
  return { ...row, id: asTextModelId(row.id), visionSpaceId: asVisionSpaceId(row.visionSpaceId) };
}
