import { describe, expect, test } from '@jest/globals';
import { Random } from '../../platform/random.ts';
import { countQueried, queryImageIds, type ImageFilter } from '../../store/image-query.ts';
import { findTagsOf, type ImageTagRecord } from '../../store/image-tags.ts';
import { replaceImportedTags } from '../../store/imported-tags.ts';
import type { CollectionId, ImageId } from '../../store/ids.ts';
import { putImages } from '../../store/images.ts';
import { registerTextModel } from '../../store/model-registry.ts';
import { putVocabulary } from '../../store/put-vocabulary.ts';
import { putVerdicts } from '../../store/tag-decisions.ts';
import type { TagFilter } from '../../store/tag-filter.ts';
import { inTransaction } from '../../store/transaction.ts';
import { useDatabase } from '../support/database.ts';
import { freshName, imageWith, newIndex, NOON } from '../support/rows.ts';

const database = await useDatabase();
const { pool, prisma } = database;

/** Names with the one above each. */
type Tree = Readonly<Record<string, string | null>>;

const ANIMALS: Tree = { animal: null, dog: 'animal', poodle: 'dog', cat: 'animal' };

/** A collection of so many images, a vocabulary, and what runs are made of. */
async function world(images = 6, tree: Tree = ANIMALS) {
  const { collectionId, visionSpaceId } = await newIndex(database);
  const textModel = await registerTextModel(prisma, {
    ...{ fingerprint: freshName('text model'), name: freshName('letters'), version: 1 },
    ...{ visionSpaceId, languageModel: 'letters', metrics: {} },
  });
  const { vocabulary } = await putVocabulary(pool, {
    ...{ name: freshName('vocabulary'), description: null, ifVersion: null },
    labels: Object.entries(tree).map(([name, parent]) => ({
      ...{ name, prompts: [], negativePrompts: [], exampleImageIds: [], threshold: null },
      parents: parent === null ? [] : [parent],
    })),
    ...{ createdBy: 'test', now: NOON },
  });
  const ids = await putImages(
    pool,
    collectionId,
    Array.from({ length: images }, () => imageWith()),
  );
  const { rows } = await pool.query<{ name: string; id: number }>(
    'SELECT name, id FROM labels WHERE vocabulary_id = $1',
    [vocabulary.id],
  );
  const labels = new Map(rows.map(({ name, id }) => [name, id]));
  return { collectionId, visionSpaceId, textModelId: textModel.id, vocabulary, ids, labels };
}

type World = Awaited<ReturnType<typeof world>>;

interface RunOptions {
  readonly state?: 'BUILDING' | 'APPLIED' | 'REVERTED';
  readonly appliedAt?: Date;
}

/** A run that gave these images these labels. */
async function run(
  { collectionId, vocabulary, visionSpaceId, textModelId, labels }: World,
  tags: readonly (readonly [ImageId | undefined, string])[],
  { state = 'APPLIED', appliedAt = NOON }: RunOptions = {},
): Promise<string> {
  const { rows } = await pool.query<{ id: string }>(
    `INSERT INTO tag_runs (collection_id, vocabulary_id, version, vision_space_id, text_model_id, state, options, created_by, applied_at)
     VALUES ($1, $2, 1, $3, $4, $5, '{}', 'tester', $6) RETURNING id`,
    [collectionId, vocabulary.id, visionSpaceId, textModelId, state, appliedAt],
  );
  const id = rows[0]?.id ?? '';
  await pool.query(
    `INSERT INTO run_tags (image_id, label_id, run_id, score, probability)
     SELECT image, label, $1, 0.25, 0.75 FROM unnest($2::bigint[], $3::int[]) AS tag (image, label) ON CONFLICT DO NOTHING`,
    [id, tags.map(([image]) => image), tags.map(([, name]) => labels.get(name))],
  );
  return id;
}

/** What a person said of one image and label. */
async function decide(
  { labels }: World,
  [imageId, name]: readonly [ImageId | undefined, string],
  verdict: 'ACCEPTED' | 'REJECTED',
  isManual = false,
): Promise<void> {
  await pool.query(
    `INSERT INTO tag_decisions (image_id, label_id, verdict, is_manual, decided_by, decided_at)
     VALUES ($1, $2, $3, $4, 'tester', $5) ON CONFLICT DO NOTHING`,
    [imageId, labels.get(name), verdict, isManual, NOON],
  );
}

async function tagsOf(
  ...ids: readonly (ImageId | undefined)[]
): Promise<readonly ImageTagRecord[]> {
  const wanted = ids.filter((id) => id !== undefined);
  return [...(await findTagsOf(pool, wanted)).values()].flat();
}

async function found(
  collectionId: CollectionId,
  tags: TagFilter,
  wrap: (filter: ImageFilter) => ImageFilter = (filter) => filter,
): Promise<readonly bigint[]> {
  const query = { collectionId, filter: wrap({ tags }) };
  const ids = [...(await queryImageIds(pool, query))].sort((a, b) => Number(a - b));
  expect(await countQueried(pool, query)).toBe(ids.length);
  return ids;
}

describe("an image's tags", () => {
  test('come from people before runs, and from runs before files', async () => {
    const one = await world();
    const [a] = one.ids;
    await run(one, [
      [a, 'dog'],
      [a, 'cat'],
      [a, 'animal'],
    ]);
    await decide(one, [a, 'dog'], 'ACCEPTED');
    await decide(one, [a, 'cat'], 'REJECTED');
    await decide(one, [a, 'poodle'], 'ACCEPTED', true);
    if (a)
      await inTransaction(pool, (client) =>
        replaceImportedTags(client, [{ imageId: a, keywords: ['k'] }]),
      );

    const tags = await tagsOf(a);

    expect(
      tags.map(({ label, source, state, probability }) => [label, source, state, probability]),
    ).toEqual([
      ['k', 'IMPORTED', 'UNREVIEWED', null],
      ['animal', 'RUN', 'UNREVIEWED', 0.75],
      ['dog', 'RUN', 'ACCEPTED', 0.75],
      ['poodle', 'MANUAL', 'ACCEPTED', null],
    ]);
  });

  test("of runs that were not applied, reverted or superseded don't show", async () => {
    const one = await world();
    const [a, b, c] = one.ids;
    await run(one, [[a, 'dog']], { state: 'BUILDING' });
    await run(one, [[b, 'dog']], { state: 'REVERTED' });
    const old = await run(one, [[c, 'dog']]);
    const later = await run(one, [[c, 'cat']], { appliedAt: new Date() });
    await pool.query('UPDATE tag_runs SET superseded_by = $1 WHERE id = $2', [later, old]);

    expect((await tagsOf(a, b, c)).map(({ label }) => label)).toEqual(['cat']);
  });

  test('are stale when the live generation has another text model', async () => {
    const one = await world();
    await run(one, [[one.ids[0], 'dog']]);
    const live = (textModelId: string | null) =>
      pool.query(
        `INSERT INTO generations (collection_id, vision_space_id, number, state, text_model_id) VALUES ($1, $2, 1, 'LIVE', $3)
         ON CONFLICT (collection_id, number) DO UPDATE SET text_model_id = excluded.text_model_id`,
        [one.collectionId, one.visionSpaceId, textModelId],
      );

    await live(one.textModelId);
    expect((await tagsOf(one.ids[0]))[0]?.isStale).toBe(false);
    await live(null);
    expect((await tagsOf(one.ids[0]))[0]?.isStale).toBe(true);
  });
});

describe('a tag filter', () => {
  test('takes a label for all below it, and an unknown one for nothing', async () => {
    const one = await world();
    const [a, b, c, d, e, f] = one.ids;
    await run(one, [
      [a, 'poodle'],
      [b, 'dog'],
      [c, 'cat'],
      [d, 'animal'],
    ]);
    const { collectionId } = one;

    expect(await found(collectionId, { anyOf: ['dog'] })).toEqual([a, b]);
    expect(await found(collectionId, { anyOf: ['animal'] })).toEqual([a, b, c, d]);
    expect(await found(collectionId, { anyOf: ['horse'] })).toEqual([]);
    expect(await found(collectionId, { anyOf: [] })).toEqual([]);
    expect(await found(collectionId, { allOf: ['animal', 'horse'] })).toEqual([]);
    expect(await found(collectionId, { noneOf: ['dog', 'horse'] })).toEqual([c, d, e, f]);
    expect(await found(collectionId, { allOf: ['animal', 'dog'] })).toEqual([a, b]);
    expect(await found(collectionId, {})).toEqual(one.ids);
    expect(await found(collectionId, { anyOf: ['dog'], vocabulary: 'none' })).toEqual([]);
  });

  test('sees what was changed at once', async () => {
    const one = await world();
    const [a] = one.ids;
    const dog = one.labels.get('dog');
    if (a === undefined || dog === undefined) throw new Error('The world is empty.');
    const say = (verdict: 'ACCEPTED' | 'REJECTED' | null) =>
      inTransaction(pool, (client) =>
        putVerdicts(
          client,
          [{ imageId: a, labelId: dog as never, verdict, isManual: true, isSampled: false }],
          { decidedBy: 'test', now: NOON },
        ),
      );

    await say('ACCEPTED');
    expect(await found(one.collectionId, { allOf: ['dog', 'animal'], source: 'MANUAL' })).toEqual([
      a,
    ]);
    await say('REJECTED');
    expect(await found(one.collectionId, { anyOf: ['dog'] })).toEqual([]);
  });

  test('says of any mix of runs, verdicts and imports what the tags themselves say', async () => {
    const random = new Random('filters');
    const pick = <T>(items: readonly T[]): T => items[random.below(items.length)] as T;
    const names = Object.keys(ANIMALS);
    for (let round = 0; round < 6; round++) {
      const [one, other] = [await world(12), await world(3)];
      const pairs = (count: number) =>
        Array.from({ length: count }, () => [pick(one.ids), pick(names)] as const);
      for (const state of ['APPLIED', 'APPLIED', 'REVERTED', 'BUILDING'] as const) {
        await run(one, pairs(8), {
          state,
          appliedAt: new Date(NOON.getTime() + random.below(1000)),
        });
      }
      await run(other, [[other.ids[0], 'dog']]);
      for (const pair of pairs(8)) {
        await decide(one, pair, pick(['ACCEPTED', 'REJECTED']), random.uniform() < 0.5);
      }
      for (const [imageId, name] of pairs(6)) {
        await pool.query(
          'INSERT INTO imported_tags VALUES ($1, $2, now()) ON CONFLICT DO NOTHING',
          [imageId, one.labels.get(name)],
        );
      }
      const tags = await findTagsOf(pool, one.ids);
      for (let i = 0; i < 40; i++) {
        const some = (): string[] | undefined =>
          random.uniform() < 0.5 ? undefined : [pick(names), pick([...names, 'horse'])];
        const filter: TagFilter = {
          ...{ anyOf: some(), allOf: some(), noneOf: some() },
          source: pick([undefined, undefined, 'MANUAL', 'RUN', 'IMPORTED'] as const),
          state: pick([undefined, undefined, 'ACCEPTED', 'UNREVIEWED'] as const),
          vocabulary: pick([undefined, one.vocabulary.name]),
        };
        const expected = one.ids.filter((id) => holds(filter, tags.get(id) ?? []));
        const rest = one.ids.filter((id) => !expected.includes(id));

        expect({ filter, ids: await found(one.collectionId, filter) }).toEqual({
          filter,
          ids: expected,
        });
        const not = await found(one.collectionId, filter, (inner) => ({ not: inner }));
        expect({ filter, ids: not }).toEqual({ filter, ids: rest });
      }
    }
  });
});

/** What a filter means, from the tags an image shows. */
function holds(filter: TagFilter, tags: readonly ImageTagRecord[]): boolean {
  const { anyOf, allOf, noneOf, source, state, vocabulary } = filter;
  const counted = tags.filter(
    (tag) =>
      (source ?? tag.source) === tag.source &&
      (state ?? tag.state) === tag.state &&
      (vocabulary ?? tag.vocabulary) === tag.vocabulary,
  );
  const has = (name: string): boolean => counted.some(({ label }) => isBelow(label, name));
  if (!anyOf && !allOf && !noneOf) {
    return counted.length > 0 || !(source ?? state ?? vocabulary);
  }
  return (anyOf?.some(has) ?? true) && (allOf?.every(has) ?? true) && !(noneOf?.some(has) ?? false);
}

function isBelow(label: string | null, name: string): boolean {
  if (label === null) return false;
  return label === name || isBelow(ANIMALS[label] ?? null, name);
}
