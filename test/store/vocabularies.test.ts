import { describe, expect, test } from '@jest/globals';
import { reclaimOrphanedTags } from '../../indexer/jobs/housekeeping.ts';
import { asImageId, asVocabularyId } from '../../store/ids.ts';
import { registerTextModel } from '../../store/model-registry.ts';
import { putVocabulary, type NewLabel, type NewVersion } from '../../store/put-vocabulary.ts';
import { inTransaction } from '../../store/transaction.ts';
import {
  countVocabularies,
  deleteVocabulary,
  ensureKeywords,
  findNewestVersions,
  findVocabulariesByIds,
  findVocabulary,
  getVocabulary,
  listVersions,
  listVocabularies,
} from '../../store/vocabularies.ts';
import {
  countLabels,
  ensureLabels,
  findLabelsByIds,
  findLabelsByNames,
  findLabelsOfVersion,
  listLabels,
  readHierarchy,
  readLabels,
} from '../../store/vocabulary-labels.ts';
import { useDatabase } from '../support/database.ts';
import { withCode } from '../support/errors.ts';
import { freshName, indexImages, newIndex, NOON } from '../support/rows.ts';

const database = await useDatabase();
const { pool } = database;

function label(name: string, overrides: Partial<NewLabel> = {}): NewLabel {
  return {
    ...{ name, prompts: [], negativePrompts: [], exampleImageIds: [], threshold: null },
    ...{ parents: [], ...overrides },
  };
}

function put(name: string, labels: readonly NewLabel[], overrides: Partial<NewVersion> = {}) {
  return putVocabulary(pool, {
    ...{ name, labels, description: null, ifVersion: null, createdBy: 'me', now: NOON },
    ...overrides,
  });
}

const ANIMALS = [
  label('animal'),
  label('dog', {
    parents: ['animal'],
    prompts: ['a dog | or "two"', 'ein Hund 🐕'],
    threshold: 0.7,
  }),
  label('poodle', { parents: ['dog'], negativePrompts: ['a sheep'] }),
];

describe('putting a vocabulary', () => {
  test('makes its first version, with labels in their order', async () => {
    const name = freshName('animals');

    const { vocabulary, changed } = await put(name, ANIMALS, { description: 'What lives.' });

    expect(changed).toBe(true);
    expect(vocabulary).toMatchObject({
      name,
      version: 1,
      isOpen: false,
      description: 'What lives.',
    });
    expect(await findVocabulary(pool, name)).toEqual(vocabulary);
    const labels = await readLabels(pool, { vocabularyId: vocabulary.id, version: 1 });
    expect(labels.map((one) => one.name)).toEqual(['animal', 'dog', 'poodle']);
    expect(labels[1]).toMatchObject({
      ...{ prompts: ANIMALS[1]?.prompts, threshold: 0.7, parentIds: [labels[0]?.id], position: 1 },
    });
    expect(labels[2]).toMatchObject({ negativePrompts: ['a sheep'], parentIds: [labels[1]?.id] });
  });

  test('the same again changes nothing', async () => {
    const name = freshName('animals');
    await put(name, ANIMALS);

    const again = await put(name, ANIMALS, { now: new Date() });

    expect(again).toMatchObject({ changed: false, vocabulary: { version: 1, changedAt: NOON } });
  });

  test.each<[string, Partial<NewLabel>]>([
    ['a prompt', { prompts: ['a poodle'] }],
    ['a threshold', { threshold: 0 }],
    ['a parent', { parents: ['dog', 'animal'] }],
    ['an example', { exampleImageIds: [asImageId(7n)] }],
  ])('another version comes of %s', async (_name, change) => {
    const name = freshName('animals');
    const { vocabulary: first } = await put(name, ANIMALS);

    const { vocabulary, changed } = await put(name, [
      ...ANIMALS.slice(0, 2),
      label('poodle', { negativePrompts: ['a sheep'], parents: ['dog'], ...change }),
    ]);

    expect(changed).toBe(true);
    expect(vocabulary).toMatchObject({ id: first.id, version: 2 });
    const [before, after] = await Promise.all(
      [1, 2].map((version) => readLabels(pool, { vocabularyId: first.id, version })),
    );
    expect(after?.map(({ id }) => id)).toEqual(before?.map(({ id }) => id));
    expect(after?.[2]).toMatchObject(change.parents ? {} : change);
  });

  test('a description alone is no version', async () => {
    const name = freshName('animals');
    await put(name, ANIMALS);

    const { vocabulary, changed } = await put(name, ANIMALS, { description: 'Beasts.' });

    expect(changed).toBe(false);
    expect(vocabulary).toMatchObject({ version: 1, description: 'Beasts.' });
    expect(await put(name, ANIMALS)).toMatchObject({ vocabulary: { description: 'Beasts.' } });
  });

  test('for another version than there is, it is refused', async () => {
    const name = freshName('animals');
    const late = withCode('CONFLICT');

    await expect(put(name, ANIMALS, { ifVersion: 1 })).rejects.toMatchObject(late);
    expect(await findVocabulary(pool, name)).toBeNull();
    await put(name, ANIMALS, { ifVersion: 0 });
    await expect(put(name, [label('a')], { ifVersion: 0 })).rejects.toMatchObject(late);
    await put(name, [label('a')], { ifVersion: 1 });
    expect(await getVocabulary(pool, name)).toMatchObject({ version: 2 });
  });

  test('ten writers at once make ten versions', async () => {
    const name = freshName('busy');

    const results = await Promise.all(
      Array.from({ length: 10 }, (_, i) => put(name, [label(`label ${i}`), label('shared')])),
    );

    const versions = results.map(({ vocabulary }) => vocabulary.version).sort((a, b) => a - b);
    expect(versions).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    const { id } = await getVocabulary(pool, name);
    expect(await listVersions(pool, id)).toHaveLength(10);
    expect((await findNewestVersions(pool, [id])).get(id)).toMatchObject({ labelCount: 2 });
  });

  test('a label that was away for a version comes back with its id', async () => {
    const name = freshName('animals');
    const { vocabulary } = await put(name, ANIMALS);
    await put(name, [label('animal')]);
    await put(name, ANIMALS);

    const of = (version: number) => readLabels(pool, { vocabularyId: vocabulary.id, version });

    expect((await of(3)).map(({ id }) => id)).toEqual((await of(1)).map(({ id }) => id));
    expect(await of(2)).toHaveLength(1);
  });

  test('twenty thousand labels are put and read in seconds', async () => {
    const name = freshName('large');
    const labels = Array.from({ length: 20_000 }, (_, i) => label(`label ${i}`));
    const startedAt = performance.now();

    await put(name, labels);
    const again = await put(name, labels);

    expect(again.changed).toBe(false);
    expect(performance.now() - startedAt).toBeLessThan(20_000);
  });
});

describe('reading', () => {
  test('finds vocabularies by name and id, and lists them by name', async () => {
    const [first, second] = [freshName('zz listed'), freshName('zz listed')];
    const a = (await put(first, ANIMALS)).vocabulary;
    const b = (await put(second, ANIMALS)).vocabulary;

    expect(
      await findVocabulariesByIds(pool, [b.id, asVocabularyId('nonsense'), a.id]),
    ).toHaveLength(2);
    expect(await findVocabulary(pool, 'none\0')).toBeNull();
    await expect(getVocabulary(pool, 'none')).rejects.toMatchObject(withCode('NOT_FOUND'));
    const all = await listVocabularies(pool, { after: null, limit: 1000 });
    expect(all).toHaveLength(await countVocabularies(pool));
    expect(await listVocabularies(pool, { after: a.name, limit: 1 })).toEqual([b]);
  });

  test('pages through labels, and searches among them', async () => {
    const { vocabulary } = await put(freshName('animals'), ANIMALS);
    const key = { vocabularyId: vocabulary.id, version: 1 };

    const page = await listLabels(pool, key, { after: 0, limit: 1, search: null, usedIn: null });
    const found = await listLabels(pool, key, {
      after: null,
      limit: 9,
      search: 'OO%',
      usedIn: null,
    });

    expect(page.map(({ name }) => name)).toEqual(['dog']);
    expect(found).toEqual([]);
    expect(await countLabels(pool, key, { search: 'OO', usedIn: null })).toBe(1);
    expect(await countLabels(pool, key, { search: null, usedIn: null })).toBe(3);
    const names = await findLabelsByNames(pool, key, ['poodle', 'cat']);
    expect([...names.keys()]).toEqual(['poodle']);
    const ids = [...names.values()].map(({ id }) => id);
    expect(await findLabelsOfVersion(pool, key, ids)).toEqual([...names.values()]);
    expect(await readHierarchy(pool, [vocabulary.id])).toHaveLength(2);
  });

  test('a label by its id is what the newest version says that has it', async () => {
    const name = freshName('animals');
    const { vocabulary } = await put(name, ANIMALS);
    const [animal, , poodle] = await readLabels(pool, { vocabularyId: vocabulary.id, version: 1 });
    await put(name, [label('animal', { prompts: ['a living thing'] })]);

    const found = await findLabelsByIds(
      pool,
      [animal, poodle].flatMap((one) => one?.id ?? []),
    );

    expect(found.map(({ version }) => version).sort()).toEqual([1, 2]);
    expect(found.find(({ id }) => id === animal?.id)?.prompts).toEqual(['a living thing']);
  });
});

describe('the keywords', () => {
  test('are made once, and take labels as they come', async () => {
    const [one, two] = await Promise.all([ensureKeywords(pool), ensureKeywords(pool)]);

    const made = await Promise.all(
      [1, 2, 3].map(() =>
        inTransaction(pool, (client) => ensureLabels(client, one.id, ['b', 'a', 'b'])),
      ),
    );

    expect(two).toEqual(one);
    expect(one).toMatchObject({ name: 'keywords', isOpen: true, version: 1 });
    expect(made[1]).toEqual(made[0]);
    expect([...(made[0]?.keys() ?? [])].sort()).toEqual(['a', 'b']);
    const key = { vocabularyId: one.id, version: 1 };
    expect((await readLabels(pool, key)).map(({ name }) => name)).toEqual(['a', 'b']);
    expect(await listVersions(pool, one.id)).toMatchObject([{ version: 1, labelCount: 2 }]);
    expect(await findLabelsByIds(pool, [...(made[0]?.values() ?? [])])).toHaveLength(2);
  });

  test("can't be put or deleted", async () => {
    await ensureKeywords(pool);

    await expect(put('keywords', ANIMALS)).rejects.toMatchObject(withCode('CONFLICT'));
    await expect(deleteVocabulary(pool, 'keywords')).rejects.toMatchObject(withCode('CONFLICT'));
  });
});

describe('deleting a vocabulary', () => {
  test('takes its labels, runs and decisions with it, and in the background what runs wrote', async () => {
    const { vocabulary } = await put(freshName('going'), ANIMALS);
    const key = { vocabularyId: vocabulary.id, version: 1 };
    const ids = (await readLabels(pool, key)).map(({ id }) => id);
    const run = await newRunOf(vocabulary.id, ids);

    expect(await deleteVocabulary(pool, vocabulary.name)).toBe(vocabulary.id);

    expect(await findVocabulary(pool, vocabulary.name)).toBeNull();
    expect(await findLabelsByIds(pool, ids)).toEqual([]);
    const rowsOf = async (table: string): Promise<number> =>
      (await pool.query(`SELECT FROM ${table} WHERE label_id = ANY($1)`, [ids])).rowCount ?? 0;
    expect(await rowsOf('image_tags')).toBe(0);
    expect(await rowsOf('tag_decisions')).toBe(0);
    expect(await rowsOf('run_tags')).toBe(4);
    await reclaimOrphanedTags(database, new AbortController().signal);
    expect(await rowsOf('run_tags')).toBe(0);
    expect((await pool.query('SELECT FROM tag_runs WHERE id = $1', [run])).rowCount).toBe(0);
  });

  test('of one that is not there is NOT_FOUND', async () => {
    await expect(deleteVocabulary(pool, 'none')).rejects.toMatchObject(withCode('NOT_FOUND'));
  });
});

/** An applied run with two tags each of two images, one of them reviewed. */
async function newRunOf(vocabularyId: string, labels: readonly number[]): Promise<string> {
  const index = await newIndex(database);
  const images = await inTransaction(pool, (client) =>
    indexImages(client, index, [freshName('x'), freshName('x')]),
  );
  const textModel = await registerTextModel(database.prisma, {
    ...{ fingerprint: freshName('text'), name: freshName('letters'), version: 1, metrics: {} },
    ...{ languageModel: 'letters', visionSpaceId: index.visionSpaceId },
  });
  const { rows } = await pool.query<{ id: string }>(
    `INSERT INTO tag_runs (collection_id, vocabulary_id, version, vision_space_id, text_model_id, state, options, created_by, applied_at)
     VALUES ($1, $2, 1, $3, $4, 'APPLIED', '{}', 'me', now()) RETURNING id`,
    [index.collectionId, vocabularyId, index.visionSpaceId, textModel.id],
  );
  const id = rows[0]?.id ?? '';
  await pool.query(
    `INSERT INTO run_tags (image_id, label_id, run_id, score, probability)
     SELECT image, label, $1, 0.2, 0.9 FROM unnest($2::bigint[]) AS image, unnest($3::int[]) AS label`,
    [id, images, labels.slice(0, 2)],
  );
  await pool.query(
    `INSERT INTO tag_decisions (image_id, label_id, verdict, is_manual, decided_by, decided_at)
     VALUES ($1, $2, 'ACCEPTED', false, 'me', now())`,
    [images[0], labels[0]],
  );
  return id;
}
