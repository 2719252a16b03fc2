import { PlatformError } from '../../platform/errors.ts';
import type { CollectionRecord } from '../../store/collections.ts';
import type { GenerationRecord } from '../../store/generations.ts';
import type { TextModelRecord, VisionSpaceRecord } from '../../store/model-registry.ts';
import type { Context } from '../context.ts';

export interface Searched {
  readonly generation: GenerationRecord;
  readonly visionSpace: VisionSpaceRecord;
  /** Null: the collection has no active one. */
  readonly textModel: TextModelRecord | null;
}

/** What a search in the collection goes through. `textModelName`: `name@version`; null: the collection's active one. */
export async function findSearched(
  { loaders }: Pick<Context, 'loaders'>,
  collection: CollectionRecord,
  textModelName: string | null,
): Promise<Searched> {
  const generation = await loaders.liveGeneration.load(collection.id);
  if (generation === null) {
    const message = `The collection "${collection.name}" has no live generation yet.`;
    throw new PlatformError('GENERATION_NOT_READY', message);
  }
  const spaces = await loaders.visionSpaces();
  const visionSpace = spaces.find(({ id }) => id === generation.visionSpaceId);
  if (!visionSpace) throw new Error('A generation without its vision space.');
  const textModel = await findTextModel(loaders, collection, textModelName);
  return { generation, visionSpace, textModel };
}

async function findTextModel(
  loaders: Context['loaders'],
  { activeTextModelId }: CollectionRecord,
  name: string | null,
): Promise<TextModelRecord | null> {
  const models = await loaders.textModels();
  if (name === null) return models.find(({ id }) => id === activeTextModelId) ?? null;
  const found = models.find((model) => `${model.name}@${model.version}` === name);
  if (found) return found;
  const known = models.map((model) => `${model.name}@${model.version}`).join(', ');
  const message = `There is no text model "${name.slice(0, 100)}". There are: ${known}.`;
  throw new PlatformError('NOT_FOUND', message);
}
