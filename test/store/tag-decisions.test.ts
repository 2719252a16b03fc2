import { describe, expect, test } from '@jest/globals';
import { Random } from '../../platform/random.ts';
import { asImageId, type ImageId, type LabelId } from '../../store/ids.ts';
import { putVerdicts, type TagVerdict, type VerdictChanges } from '../../store/tag-decisions.ts';
import { inTransaction } from '../../store/transaction.ts';
import { deleteVocabulary } from '../../store/vocabularies.ts';
import { findLabelsByNames, readLabels } from '../../store/vocabulary-labels.ts';
import { useDatabase } from '../support/database.ts';
import { withCode } from '../support/errors.ts';
import { freshName, indexed, newIndex, NOON } from '../support/rows.ts';
import { newVocabulary } from '../support/tagging.ts';
import { untilSomebodyWaits } from '../support/waiting.ts';

const database = await useDatabase();
const { pool } = database;

const HIERARCHY = [
  'animal',
  'pet',
  { name: 'dog', parents: ['animal', 'pet'] },
  { name: 'cat', parents: ['animal', 'pet'] },
  { name: 'puppy', parents: ['dog'] },
  { name: 'poodle', parents: ['dog'] },
  'tree',
];
const NAMES = ['animal', 'pet', 'dog', 'cat', 'puppy', 'poodle', 'tree'];

const key = await newIndex(database);
const { id: vocabularyId, version } = await newVocabulary(database, HIERARCHY);
const labels = await findLabelsByNames(pool, { vocabularyId, version }, NAMES);

function labelId(name: string): LabelId {
  const label = labels.get(name);
  if (label === undefined) throw new Error(`No label ${name}.`);
  return label.id;
}

const newImages = (count: number): Promise<readonly ImageId[]> =>
  indexed(
    database,
    key,
    Array.from({ length: count }, () => freshName('picture')),
  );

async function newImage(): Promise<ImageId> {
  const [id = asImageId(0n)] = await newImages(1);
  return id;
}

/** As a file's keywords would. */
async function haveTag(imageId: ImageId, name: string): Promise<void> {
  await pool.query('INSERT INTO imported_tags (image_id, label_id) VALUES ($1, $2)', [
    ...[imageId, labelId(name)],
  ]);
}

function said(
  imageId: ImageId,
  name: string,
  verdict: TagVerdict['verdict'],
  flags: Partial<TagVerdict> = {},
): TagVerdict {
  const plain = { isManual: false, isSampled: false };
  return { imageId, labelId: labelId(name), verdict, ...plain, ...flags };
}

const put = (...verdicts: readonly TagVerdict[]): Promise<VerdictChanges> =>
  inTransaction(pool, (client) => putVerdicts(client, verdicts, { decidedBy: 'me', now: NOON }));

/** Everything that is said, but for who and when. */
async function decisions(ids: readonly ImageId[]): Promise<readonly string[]> {
  const { rows } = await pool.query<{ decision: string }>(
    `SELECT concat_ws(' ', d.image_id, l.name, d.verdict, d.is_manual, d.is_sampled) AS decision
     FROM tag_decisions d JOIN labels l ON l.id = d.label_id WHERE d.image_id = ANY($1::bigint[]) ORDER BY 1`,
    [ids],
  );
  return rows.map(({ decision }) => decision);
}

const saidOf = async (id: ImageId): Promise<readonly string[]> =>
  (await decisions([id])).map((line) => line.split(' ').slice(1, 3).join(' '));

describe('what people say of tags', () => {
  test('accepting brings the labels above along', async () => {
    const image = await newImage();

    await put(said(image, 'puppy', 'ACCEPTED'));

    expect(await saidOf(image)).toEqual([
      ...['animal ACCEPTED', 'dog ACCEPTED', 'pet ACCEPTED', 'puppy ACCEPTED'],
    ]);
  });

  test('accepting leaves what was said of the labels above', async () => {
    const image = await newImage();
    await put(said(image, 'pet', 'REJECTED'));

    await put(said(image, 'dog', 'ACCEPTED'));

    expect(await saidOf(image)).toEqual(['animal ACCEPTED', 'dog ACCEPTED', 'pet REJECTED']);
  });

  test('rejecting takes those labels below along that the image has', async () => {
    const image = await newImage();
    await haveTag(image, 'poodle');

    await put(said(image, 'animal', 'REJECTED'));

    expect(await saidOf(image)).toEqual(['animal REJECTED', 'poodle REJECTED']);
  });

  test('what is said itself comes before what comes along', async () => {
    const image = await newImage();
    await haveTag(image, 'poodle');

    await put(said(image, 'dog', 'REJECTED'), said(image, 'poodle', 'ACCEPTED'));

    expect(await saidOf(image)).toEqual([
      ...['animal ACCEPTED', 'dog REJECTED', 'pet ACCEPTED', 'poodle ACCEPTED'],
    ]);
  });

  test('saying the same again changes nothing', async () => {
    const image = await newImage();
    await put(said(image, 'dog', 'ACCEPTED'));

    const { changed, undo } = await put(said(image, 'dog', 'ACCEPTED'));

    expect([changed, undo]).toEqual([[], []]);
  });

  test('clearing forgets what was said, and nothing else', async () => {
    const image = await newImage();
    await put(said(image, 'dog', 'ACCEPTED'));

    await put(said(image, 'dog', null));

    expect(await saidOf(image)).toEqual(['animal ACCEPTED', 'pet ACCEPTED']);
  });

  test('an image that is gone is refused, and nothing is stored', async () => {
    const image = await newImage();
    const gone = asImageId(999_999_999n);

    const refused = put(said(image, 'dog', 'ACCEPTED'), said(gone, 'dog', 'ACCEPTED'));

    await expect(refused).rejects.toMatchObject(withCode('NOT_FOUND'));
    expect(await saidOf(image)).toEqual([]);
  });

  test('two people who say things of one image at once wait for each other', async () => {
    const image = await newImage();

    const both = await Promise.all([
      put(said(image, 'dog', 'ACCEPTED')),
      put(said(image, 'dog', 'REJECTED')),
    ]);

    const dog = both.map(({ undo }) => undo.find((one) => one.labelId === labelId('dog'))?.verdict);
    expect(dog).toContain(null); // the first found nothing, the second what the first said
    expect(dog.filter((verdict) => verdict !== null)).toHaveLength(1);
  });

  test('who decides and who deletes images wait for each other, and never in a circle', async () => {
    const [late, early] = [await newImage(), await newImage()];
    await pool.query(`UPDATE images SET path = 'z' WHERE id = $1`, [late]);
    await pool.query(`UPDATE images SET path = 'a' WHERE id = $1`, [early]);
    const lock = 'SELECT FROM images WHERE id = $1 FOR UPDATE'; // as they are locked before they go

    const decided = await inTransaction(pool, async (client) => {
      await client.query(lock, [early]);
      const deciding = put(said(late, 'tree', 'ACCEPTED'), said(early, 'tree', 'ACCEPTED'));
      await Promise.race([deciding, untilSomebodyWaits(pool)]);
      await client.query(lock, [late]);
      return { deciding };
    });

    expect((await decided.deciding).changed).toHaveLength(2);
  });

  test('labels whose vocabulary is gone are named, and nothing is stored', async () => {
    const image = await newImage();
    const gone = await newVocabulary(database, ['short-lived']);
    const [label] = await readLabels(pool, { vocabularyId: gone.id, version: 1 });
    await deleteVocabulary(pool, gone.name);
    const late = { ...said(image, 'tree', 'ACCEPTED'), labelId: label?.id ?? labelId('tree') };

    await expect(put(said(image, 'dog', 'ACCEPTED'), late)).rejects.toMatchObject(
      withCode('NOT_FOUND'),
    );

    expect(await saidOf(image)).toEqual([]);
  });

  test('undo restores exactly what was said, whatever came along', async () => {
    const random = new Random('undo');
    const images = await newImages(3);
    for (const image of images) {
      for (const name of NAMES) if (random.uniform() < 0.5) await haveTag(image, name);
    }
    const anything = (): TagVerdict =>
      said(random.pick(images), random.pick(NAMES), random.pick(['ACCEPTED', 'REJECTED', null]), {
        ...{ isManual: random.uniform() < 0.3, isSampled: random.uniform() < 0.3 },
      });

    for (let round = 0; round < 80; round++) {
      const before = await decisions(images);
      const { undo } = await put(...Array.from({ length: 1 + random.below(6) }, anything));
      const after = await decisions(images);
      const { undo: redo } = await put(...undo);

      expect(await decisions(images)).toEqual(before);

      await put(...redo);
      expect(await decisions(images)).toEqual(after);
    }
  });
});
