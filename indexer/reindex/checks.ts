import type { Logger } from '../../platform/logger.ts';
import { countIndexed, countUnindexed, type IndexKey } from '../../store/changes.ts';
import type { Database } from '../../store/database.ts';
import {
  findLiveGeneration,
  type GenerationCheck,
  type GenerationRecord,
} from '../../store/generations.ts';
import {
  listTextModels,
  listVisionSpaces,
  type TextModelRecord,
  type VisionSpaceRecord,
} from '../../store/model-registry.ts';
import type { EngineSetting } from '../vector-index/engines.ts';
import { withCurrentIndex, type CurrentIndex } from '../vector-index/stored-index.ts';
import { checkVectors } from '../verify/check-vectors.ts';
import { checkCanaries, type Asked, type Canary, type FindText } from './canaries.ts';
import { checkOwnVectorFirst, checkRecall } from './check-index.ts';

export interface CheckServices {
  readonly database: Database;
  readonly models: { readonly findText: FindText };
  readonly engine: EngineSetting;
  /** Where snapshots lie. */
  readonly snapshots: string;
}

export interface CheckOptions {
  readonly canaries: readonly Canary[];
  readonly signal: AbortSignal;
  readonly logger: Logger;
}

/**
 * What has to hold before a generation goes live. The index that is searched for it is as a server's: same engine, same settings; its
 * snapshot is left for the servers.
 */
export async function checkGeneration(
  services: CheckServices,
  generation: GenerationRecord,
  options: CheckOptions,
): Promise<readonly GenerationCheck[]> {
  const { database } = services;
  const { visionSpaceId, collectionId } = generation;
  const key = { collectionId, visionSpaceId };
  const space = await getSpace(database, generation);
  const textModel = await findTextModel(database, generation);
  const checks = [
    await checkCount(database, key),
    await checkEveryVector(database, key, space.dimensions),
    nameTextModel(textModel, space),
  ];
  await withIndexOf(services, generation, options, async (current) => {
    const { index } = current;
    const { pool } = database;
    checks.push(await checkRecall(pool, key, index), await checkOwnVectorFirst(pool, key, index));
    const built = { index, textModel: textModel?.fingerprint ?? null };
    checks.push(...(await askCanaries(services, generation, options, built)));
    // It only saves time; servers build the index without.
    await current.save().catch((error: unknown) => {
      options.logger.warn({ err: error }, 'A snapshot could not be written.');
    });
  });
  return checks;
}

/** Opens the live generation's index too where a canary wants to know what that gives. */
async function askCanaries(
  services: CheckServices,
  generation: GenerationRecord,
  options: CheckOptions,
  built: Asked,
): Promise<readonly GenerationCheck[]> {
  const { database, models } = services;
  const { canaries } = options;
  const findText: FindText = (fingerprint) => models.findText(fingerprint);
  const live = canaries.some(({ imageIds }) => imageIds === null)
    ? await findLiveGeneration(database.prisma, generation.collectionId)
    : null;
  if (live === null) return checkCanaries(canaries, { built, live, findText });
  const textModel = (await findTextModel(database, live))?.fingerprint ?? null;
  return withIndexOf(services, live, options, ({ index }) =>
    checkCanaries(canaries, { built, live: { index, textModel }, findText }),
  );
}

async function withIndexOf<T>(
  { database, engine, snapshots: folder }: CheckServices,
  generation: GenerationRecord,
  { signal, logger }: CheckOptions,
  use: (current: CurrentIndex) => Promise<T>,
): Promise<T> {
  const { dimensions, fingerprint } = await getSpace(database, generation);
  const { collectionId, visionSpaceId } = generation;
  const key = { collectionId, visionSpaceId };
  const options = { key, dimensions, fingerprint, engine, folder, db: database.pool, logger };
  return withCurrentIndex(options, signal, use);
}

async function getSpace(
  { prisma }: Database,
  { visionSpaceId }: GenerationRecord,
): Promise<VisionSpaceRecord> {
  const spaces = await listVisionSpaces(prisma);
  const space = spaces.find(({ id }) => id === visionSpaceId);
  if (space) return space;
  throw new Error('A generation without its vision space.');
}

async function findTextModel(
  { prisma }: Database,
  { textModelId }: GenerationRecord,
): Promise<TextModelRecord | null> {
  const models = await listTextModels(prisma);
  return models.find(({ id }) => id === textModelId) ?? null;
}

async function checkCount({ pool }: Database, key: IndexKey): Promise<GenerationCheck> {
  const [missing, indexed] = [await countUnindexed(pool, key), await countIndexed(pool, key)];
  const detail =
    missing === 0
      ? `All ${indexed} images are in it.`
      : `${missing} images lack an embedding, ${indexed} have one: see the job's failures.`;
  return { name: 'count', passed: missing === 0, detail };
}

async function checkEveryVector(
  { pool }: Database,
  key: IndexKey,
  dimensions: number,
): Promise<GenerationCheck> {
  const { looked, violations } = await checkVectors(pool, key, dimensions);
  const detail =
    violations.length === 0
      ? `${looked} vectors have ${dimensions} numbers and length 1.`
      : `${violations.length} of ${looked} are wrong, first ${violations[0] ?? ''}.`;
  return { name: 'vectors', passed: violations.length === 0, detail };
}

function nameTextModel(
  textModel: TextModelRecord | null,
  { name }: VisionSpaceRecord,
): GenerationCheck {
  const detail = textModel
    ? `${textModel.name}@${textModel.version} reads the texts.`
    : `No text model of the vision space ${name} is known: train one, and add its bundle.`;
  return { name: 'text-model', passed: textModel !== null, detail };
}
