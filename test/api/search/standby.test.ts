import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { CollectionIndexes } from '../../../api/search/collection-indexes.ts';
import { Standby } from '../../../api/search/standby.ts';
import { TextModels } from '../../../api/search/text-models.ts';
import { PlatformError } from '../../../platform/errors.ts';
import { createLogger } from '../../../platform/logger.ts';
import { ChangeListener } from '../../../store/change-listener.ts';
import { indexKeyName, type IndexKey } from '../../../store/changes.ts';
import type { Database } from '../../../store/database.ts';
import { createFirstGeneration } from '../../../store/generations.ts';
import { registerTextModel } from '../../../store/model-registry.ts';
import { temporaryFolder } from '../../support/bundles.ts';
import { useDatabase } from '../../support/database.ts';
import { freshName, indexed, newIndex, NOON, vectorOf } from '../../support/rows.ts';

let database: Database;
let indexes: CollectionIndexes;
let listener: ChangeListener;
const logger = createLogger({ level: 'silent' });

beforeAll(async () => {
  database = await useDatabase();
  listener = new ChangeListener({ createClient: () => database.createClient() });
  const folder = await temporaryFolder();
  indexes = new CollectionIndexes({ database, listener, folder, logger, engine: 'exact' });
});

afterAll(async () => {
  await indexes.close();
  await listener.close();
});

/** A generation in this state, beside a live one, with a text model of its own. Gives its index and its text model. */
async function generationOf(
  state: 'BUILDING' | 'READY' | 'RETIRED',
): Promise<{ readonly key: IndexKey; readonly textModel: string }> {
  const live = await newIndex(database);
  await createFirstGeneration(database.pool, { ...live, textModelId: null }, NOON);
  const key = { ...(await newIndex(database)), collectionId: live.collectionId };
  const textModel = await registerTextModel(database.prisma, {
    ...{ fingerprint: freshName('text model'), name: freshName('reads'), version: 1 },
    ...{ languageModel: 'letters', visionSpaceId: key.visionSpaceId, metrics: {} },
  });
  await database.prisma.generation.create({
    data: { ...key, state, number: 2, textModelId: textModel.id },
  });
  return { key, textModel: textModel.fingerprint };
}

/** Text models that read letters; it remembers which were loaded. `missing`: no bundle has it. */
function modelsBut(missing: string | null): { textModels: TextModels; readonly loaded: string[] } {
  const loaded: string[] = [];
  const find = (textModel: string) => {
    if (textModel === missing) return Promise.reject(new PlatformError('MODEL_MISMATCH', 'gone'));
    loaded.push(textModel);
    return Promise.resolve({
      ...{ textModel, visionSpace: 'letters', dimensions: 4, templates: [] },
      encode: (texts: readonly string[]) =>
        Promise.resolve(texts.map((text) => ({ embedding: vectorOf(text) as never }))),
      encodeClasses: () => Promise.resolve([]),
    });
  };
  return { textModels: new TextModels({ find, parallel: 1 }), loaded };
}

function isOpen(key: IndexKey): boolean {
  return indexes.opened().some((index) => indexKeyName(index.key) === indexKeyName(key));
}

test('what may be promoted has its index and its text model loaded before anybody asks', async () => {
  const [building, ready] = [await generationOf('BUILDING'), await generationOf('READY')];
  const retired = await generationOf('RETIRED');
  await indexed(database, ready.key, ['cat']);
  const { textModels, loaded } = modelsBut(null);
  const standby = new Standby({ database, indexes, textModels, logger, everyMs: 10 });

  await standby.start();

  for (const { textModel } of [building, ready, retired]) expect(loaded).toContain(textModel);
  expect([building, ready, retired].map(({ key }) => isOpen(key))).toEqual([false, true, true]);
  await standby.close();
});

test('a text model without a bundle keeps no other from being loaded', async () => {
  const [missing, there] = [await generationOf('READY'), await generationOf('READY')];
  const { textModels, loaded } = modelsBut(missing.textModel);
  const standby = new Standby({ database, indexes, textModels, logger });

  await standby.look();

  expect(loaded).toContain(there.textModel);
  expect(isOpen(missing.key)).toBe(true); // an image may be searched by
  await standby.close();
});
