import { expect, test } from '@jest/globals';
import { Random } from '../../platform/random.ts';
import { asTagRunId, type ImageId, type LabelId, type TagRunId } from '../../store/ids.ts';
import { deleteRunTags } from '../../store/orphaned-tags.ts';
import type { IndexKey } from '../../store/changes.ts';
import { registerTextModel } from '../../store/model-registry.ts';
import { addRunTags } from '../../store/run-tags.ts';
import {
  abandonTagRuns,
  applyTagRun,
  holdBuilding,
  listUnreclaimedRuns,
  lockTags,
  reclaimTagRun,
  revertTagRun,
} from '../../store/tag-run-switch.ts';
import { inTransaction } from '../../store/transaction.ts';
import { readLabels } from '../../store/vocabulary-labels.ts';
import { deleteVocabulary, type VocabularyRecord } from '../../store/vocabularies.ts';
import { useDatabase } from '../support/database.ts';
import { freshName, indexed, newIndex } from '../support/rows.ts';
import { newVocabulary } from '../support/tagging.ts';
import { untilSomebodyWaits } from '../support/waiting.ts';

const database = await useDatabase();
const { pool, prisma } = database;

interface Run {
  readonly id: TagRunId;
  readonly vocabulary: VocabularyRecord;
  readonly isWhole: boolean;
  /** Probability by `image label`. */
  readonly tags: ReadonlyMap<string, number>;
  isReverted: boolean;
}

type Verdict = 'ACCEPTED' | 'REJECTED';

/** What a collection's images have, kept in memory in the plainest way. */
interface World {
  readonly key: IndexKey;
  readonly textModelId: string;
  readonly images: readonly ImageId[];
  readonly vocabularies: readonly {
    readonly record: VocabularyRecord;
    readonly labels: LabelId[];
  }[];
  /** In the order they were applied. */
  readonly runs: Run[];
  readonly decisions: Map<string, Verdict>;
  readonly imported: Set<string>;
}

async function newWorld(): Promise<World> {
  const key = await newIndex(database);
  const images = await indexed(database, key, ['a', 'b', 'c', 'd'].map(freshName));
  const textModel = await registerTextModel(prisma, {
    ...{ fingerprint: freshName('text model'), name: freshName('model'), version: 1, metrics: {} },
    ...{ visionSpaceId: key.visionSpaceId, languageModel: 'letters' },
  });
  const vocabularies = [];
  for (const names of [
    ['x', 'y', 'z'],
    ['x', 'w'],
  ]) {
    const record = await newVocabulary(database, names);
    const labels = await readLabels(pool, { vocabularyId: record.id, version: 1 });
    vocabularies.push({ record, labels: labels.map(({ id }) => id) });
  }
  const nothing = { runs: [], decisions: new Map(), imported: new Set<string>() };
  return { key, textModelId: textModel.id, images, vocabularies, ...nothing };
}

/** A run that gives some images some labels, not applied yet. */
async function buildRun(world: World, random: Random): Promise<Run> {
  const { record: vocabulary, labels } = random.pick(world.vocabularies);
  const { rows } = await pool.query<{ id: string }>(
    `INSERT INTO tag_runs (collection_id, vocabulary_id, version, vision_space_id, text_model_id, options, created_by)
     VALUES ($1, $2, 1, $3, $4, '{}', 'test') RETURNING id`,
    [world.key.collectionId, vocabulary.id, world.key.visionSpaceId, world.textModelId],
  );
  const id = asTagRunId(rows[0]?.id ?? '');
  const pairs = world.images.flatMap((image) => labels.map((label) => ({ image, label })));
  const given = pairs.filter(() => random.uniform() < 0.5);
  const probabilities = given.map(() => random.below(64) / 64); // exact as float4
  await addRunTags(pool, id, {
    ...{ imageIds: given.map(({ image }) => image), labelIds: given.map(({ label }) => label) },
    ...{ scores: probabilities, probabilities, marks: given.map(() => 0) },
  });
  const tags = given.map(
    ({ image, label }, i) => [`${image} ${label}`, probabilities[i] ?? 0] as const,
  );
  return {
    id,
    vocabulary,
    isWhole: random.uniform() < 0.5,
    tags: new Map(tags),
    isReverted: false,
  };
}

function apply(world: World, { id, isWhole }: Run): Promise<boolean> {
  const { collectionId } = world.key;
  const now = new Date('2026-05-01'); // the same for all: the order is the lock's
  return inTransaction(pool, (client) =>
    applyTagRun(client, { id, collectionId }, { isWhole, now }),
  );
}

function revert(world: World, { id }: Run): Promise<boolean> {
  const { collectionId } = world.key;
  const by = { by: 'test', now: new Date() };
  return inTransaction(pool, (client) => revertTagRun(client, { id, collectionId }, by));
}

async function decide(world: World, pair: string, verdict: Verdict | null): Promise<void> {
  const [image, label] = pair.split(' ');
  await pool.query('DELETE FROM tag_decisions WHERE image_id = $1 AND label_id = $2', [
    image,
    label,
  ]);
  if (verdict === null) world.decisions.delete(pair);
  else {
    world.decisions.set(pair, verdict);
    await pool.query(
      `INSERT INTO tag_decisions (image_id, label_id, verdict, is_manual, decided_by, decided_at)
       VALUES ($1, $2, $3, false, 'test', now())`,
      [image, label, verdict],
    );
  }
}

function randomPair({ images, vocabularies }: World, random: Random): string {
  return `${random.pick(images)} ${random.pick(random.pick(vocabularies).labels)}`;
}

/** Runs that show: those after the last whole one of their vocabulary, and that one, as if reverted ones had never been. */
function shownRuns({ runs }: World): readonly Run[] {
  const left = runs.filter(({ isReverted }) => !isReverted);
  return left.filter(
    (run, i) =>
      !left
        .slice(i + 1)
        .some((later) => later.isWhole && later.vocabulary.id === run.vocabulary.id),
  );
}

/** What the images have by the rules alone. */
function expectedTags(world: World): readonly string[] {
  const tags = new Map<string, string>();
  for (const pair of world.imported) tags.set(pair, 'IMPORTED UNREVIEWED');
  for (const { id, tags: given } of shownRuns(world)) {
    for (const [pair, probability] of given) tags.set(pair, `RUN UNREVIEWED ${id} ${probability}`);
  }
  for (const [pair, verdict] of world.decisions) {
    const before = tags.get(pair);
    if (verdict === 'REJECTED') tags.delete(pair);
    else tags.set(pair, (before ?? 'MANUAL').replace(/ ?UNREVIEWED|$/, ' ACCEPTED'));
  }
  return [...tags].map(([pair, tag]) => `${pair} ${tag.trim()}`).sort();
}

async function actualTags({ images }: World): Promise<readonly string[]> {
  const { rows } = await pool.query<{ tag: string }>(
    `SELECT concat_ws(' ', image_id, label_id, source, state, run_id, probability) AS tag
     FROM image_tags WHERE image_id = ANY($1::bigint[])`,
    [images],
  );
  return rows.map(({ tag }) => tag).sort();
}

test.each(Array.from({ length: 12 }, (_, seed) => seed))(
  'after any sequence of runs, verdicts and reverts the tags are as if the reverted runs had never been (%i)',
  async (seed) => {
    const random = new Random('reverts', seed);
    const world = await newWorld();
    for (let step = 0; step < 25; step++) {
      const kind = random.uniform();
      const left = world.runs.filter(({ isReverted }) => !isReverted);
      if (kind < 0.45) {
        const run = await buildRun(world, random);
        expect(await actualTags(world)).toEqual(expectedTags(world)); // nobody sees it yet
        expect(await apply(world, run)).toBe(true);
        world.runs.push(run);
      } else if (kind < 0.7 && left.length > 0) {
        const run = random.pick(left);
        expect(await revert(world, run)).toBe(true);
        run.isReverted = true;
        if (random.uniform() < 0.5) await reclaimTagRun(pool, run.id, new Date());
      } else if (kind < 0.9) {
        await decide(world, randomPair(world, random), random.pick(['ACCEPTED', 'REJECTED', null]));
      } else {
        const pair = randomPair(world, random);
        world.imported.add(pair);
        await pool.query(
          'INSERT INTO imported_tags (image_id, label_id) VALUES ($1, $2) ON CONFLICT DO NOTHING',
          pair.split(' '),
        );
      }
      expect(await actualTags(world)).toEqual(expectedTags(world));
    }
  },
);

test('a run is applied once and reverted once, whoever tries at the same time', async () => {
  const world = await newWorld();
  const run = await buildRun(world, new Random('once'));

  const applied = await Promise.all([1, 2, 3].map(() => apply(world, run)));
  const reverted = await Promise.all([1, 2, 3].map(() => revert(world, run)));

  expect(applied.filter(Boolean)).toHaveLength(1);
  expect(reverted.filter(Boolean)).toHaveLength(1);
  expect(await apply(world, run)).toBe(false);
});

test('two that are applied in the same millisecond show in their order', async () => {
  const world = await newWorld();
  const runs = [await buildRun(world, new Random(1)), await buildRun(world, new Random(2))];
  for (const run of runs) await apply(world, run);

  const { rows } = await pool.query<{ id: string }>(
    'SELECT id FROM tag_runs WHERE id = ANY($1::uuid[]) ORDER BY applied_at',
    [runs.map(({ id }) => id)],
  );

  expect(rows.map(({ id }) => id)).toEqual(runs.map(({ id }) => id));
});

test('rows of a run are deleted only when it does not show, a batch at a time', async () => {
  const world = await newWorld();
  const run = await buildRun(world, new Random('rows'));
  await apply(world, run);

  expect(await reclaimTagRun(pool, run.id, new Date())).toBe(0);
  await revert(world, run);
  expect(await listUnreclaimedRuns(pool)).toContain(run.id);
  expect(await reclaimTagRun(pool, run.id, new Date())).toBe(run.tags.size);

  expect(await listUnreclaimedRuns(pool)).not.toContain(run.id);
});

test('a run whose job is gone is given up, and takes no more rows', async () => {
  const world = await newWorld();
  const run = await buildRun(world, new Random('gone'));
  const hold = (): Promise<boolean> =>
    inTransaction(pool, (client) => holdBuilding(client, run.id));
  await pool.query(
    `INSERT INTO generations (collection_id, vision_space_id, number, state) VALUES ($1, $2, 1, 'LIVE')`,
    [world.key.collectionId, world.key.visionSpaceId],
  );
  expect(await hold()).toBe(true);

  await abandonTagRuns(pool, new Date());

  expect(await hold()).toBe(false);
  expect(await apply(world, run)).toBe(false);
});

test('a vocabulary that is deleted while a run of it is applied waits for it, and not in a circle', async () => {
  const world = await newWorld();
  const random = new Random('deleted meanwhile');
  const { collectionId } = world.key;
  const [one] = world.vocabularies;
  if (one === undefined) throw new Error('A world has vocabularies.');
  const ofOne = { ...world, vocabularies: [one] };
  const earlier = await buildRun(ofOne, random);
  const run = await buildRun(ofOne, random);
  await apply(world, earlier);

  const { deleting } = await inTransaction(pool, async (client) => {
    await lockTags(client, collectionId);
    await holdBuilding(client, run.id);
    const deleting = deleteVocabulary(pool, one.record.name);
    await Promise.race([deleting, untilSomebodyWaits(pool)]);
    const now = new Date();
    await applyTagRun(client, { id: run.id, collectionId }, { isWhole: true, now });
    return { deleting };
  });

  expect(await deleting).toBe(one.record.id);
});

test('rows of deleted runs that somebody deletes with their images are passed over, not waited for', async () => {
  const world = await newWorld();
  const run = await buildRun(world, new Random('orphaned'));
  await pool.query('DELETE FROM tag_runs WHERE id = $1', [run.id]);

  await inTransaction(pool, async (client) => {
    await client.query('SELECT FROM run_tags WHERE run_id = $1 LIMIT 1 FOR UPDATE', [run.id]);
    expect(await deleteRunTags(pool, run.id)).toBe(run.tags.size - 1);
  });

  expect(await deleteRunTags(pool, run.id)).toBe(1);
});
