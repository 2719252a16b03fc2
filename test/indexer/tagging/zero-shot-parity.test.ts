import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { evaluateZeroShot } from '../../../models/evaluate/zero-shot.ts';
import { Bundle } from '../../../models/bundle.ts';
import type { CollectionRecord } from '../../../store/collections.ts';
import { DEFAULT_BUNDLE, SAMPLE_PHOTOS, temporaryFolder } from '../../support/bundles.ts';
import { useDatabase } from '../../support/database.ts';
import { ingested, newSource, useJobServices, useModels } from '../../support/indexing.ts';
import { newVocabulary, tagged } from '../../support/tagging.ts';

const CLASSES: Readonly<Record<string, readonly string[]>> = {
  fish: ['goldfish', 'trout', 'wrasse', 'angelfish', 'striped-cichlid'],
  windmill: ['windmill', 'windmill-1', 'windmill-3', 'windmill-7'],
  hammer: ['hammer', 'hammer-3', 'hammer-5'],
  'screw driver': ['screw-driver', 'screw-driver-1', 'screw-driver-3'],
  bear: ['polar-bear', 'panda', 'koala'],
  cup: ['cup', 'cup-and-saucer', 'coffee'],
  tower: ['eiffel-tower', 'leaning-tower-of-pisa', 'empire-state', 'burj'],
  dam: ['hydroelectric-dam', 'dam-across-a-river', 'water-rushing-from-a-dam'],
  spoon: ['spoons', 'knife-fork-and-spoon'],
  'solar panel': ['solar-panel', 'solar-panels', 'house-with-solar-panels'],
};

const database = await useDatabase();
const base = await useJobServices(database);
const bundle = await Bundle.open(DEFAULT_BUNDLE);
const models = await useModels(bundle, join(await temporaryFolder(), 'bundles'));
const services = { ...base, models };
let folder: string;
let collection: CollectionRecord;

beforeAll(async () => {
  folder = await temporaryFolder();
  for (const [name, photos] of Object.entries(CLASSES)) {
    await mkdir(join(folder, name));
    for (const photo of photos) {
      await copyFile(join(SAMPLE_PHOTOS, `${photo}.jpg`), join(folder, name, `${photo}.jpg`));
    }
  }
  const source = await newSource(services, folder);
  await ingested(services, source);
  collection = source.collection;
});

/** Percent of photos whose tag with the highest score, of those that weren't implied, is their folder's name. */
async function percentRight(runId: string): Promise<number> {
  const { rows } = await database.pool.query<{ percent: number }>(
    `SELECT (100.0 * count(*) FILTER (WHERE best.name = split_part(i.path, '/', -2)) / count(*))::float8 AS percent
     FROM images i LEFT JOIN LATERAL (
       SELECT l.name FROM run_tags t JOIN labels l ON l.id = t.label_id
       WHERE t.image_id = i.id AND t.run_id = $1 ORDER BY t.score DESC LIMIT 1) best ON true
     WHERE i.collection_id = $2`,
    [runId, collection.id],
  );
  return rows[0]?.percent ?? -1;
}

test('with at least one tag an image, the first one is what zero-shot classification says', async () => {
  const texts = await models.findText(bundle.textModel);
  const vision = await models.findVision(bundle.visionSpace);
  const images = await vision?.encoder();
  if (texts === null || images === undefined) throw new Error('The bundle has both models.');
  const report = await evaluateZeroShot(folder, Infinity, { images: images as never, texts });

  const names = Object.keys(CLASSES).sort();
  const vocabulary = await newVocabulary(database, names);
  for (const minProbability of [0.01, 0.5, 1]) {
    const run = await tagged(services, {
      ...{ collectionId: collection.id, vocabulary, minTagsPerImage: 1, minProbability },
    });

    expect(await percentRight(run.id)).toBeCloseTo(report.top1, 6);
    expect(run.taggedCount).toBe(report.images);
  }
  expect(report.top1).toBeGreaterThan(50);
});
