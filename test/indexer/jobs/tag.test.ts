import { beforeAll, describe, expect, test } from '@jest/globals';
import { join } from 'node:path';
import { reclaimTagRuns } from '../../../indexer/jobs/housekeeping.ts';
import { previewRun } from '../../../indexer/tagging/preview.ts';
import { readOptions } from '../../../indexer/tagging/run-request.ts';
import { cancelJob, pauseJob, resumeJob, retryFailedItems } from '../../../store/job-control.ts';
import { deleteImages, listImages } from '../../../store/images.ts';
import { getJob } from '../../../store/jobs.ts';
import { listRunLabels } from '../../../store/tag-runs.ts';
import { inTransaction } from '../../../store/transaction.ts';
import type { CollectionRecord } from '../../../store/collections.ts';
import { readLabels } from '../../../store/vocabulary-labels.ts';
import { temporaryFolder } from '../../support/bundles.ts';
import { useDatabase } from '../../support/database.ts';
import { plain } from '../../support/images.ts';
import { ingested, newRunner, newSource, useJobServices } from '../../support/indexing.ts';
import {
  countRunTags,
  getRun,
  newVocabulary,
  reverted,
  runOf,
  startedRun,
  tagged,
  tagsOf,
} from '../../support/tagging.ts';

const database = await useDatabase();
const { pool, prisma } = database;
const services = await useJobServices(database);
const never = new AbortController().signal;
const LABELS = ['cat', 'dog', 'tree', 'house', 'boat', 'moon'];

let photos: string;
beforeAll(async () => {
  photos = await temporaryFolder();
  for (let i = 0; i < 24; i++) {
    const colour = { r: (i * 67) % 256, g: (i * 131) % 256, b: (i * 29) % 256 };
    await plain(colour, 30, 20 + i)
      .png()
      .toFile(join(photos, `photo-${i}.png`));
  }
});

/** A collection of 24 photos. */
async function newCollection(): Promise<CollectionRecord> {
  const source = await newSource(services, photos);
  await ingested(services, source);
  return source.collection;
}

function tagsOfRun(id: string): Promise<number> {
  return countRunTags(database, id as never);
}

describe('a tag run', () => {
  test('gives what its preview counted, and nothing shows before it is applied', async () => {
    const { id: collectionId } = await newCollection();
    const vocabulary = await newVocabulary(database, LABELS);
    const options = { minProbability: 0.02, maxTagsPerImage: 3 };
    const job = await startedRun(database, { collectionId, vocabulary, ...options });
    const run = await runOf(database, job);
    const texts = await services.models.findText(services.models.main.textModel);
    if (texts === null) throw new Error('The tiny bundle has a text model.');
    const labels = await readLabels(pool, { vocabularyId: vocabulary.id, version: 1 });
    const preview = await previewRun({ pool, texts }, run, labels, readOptions(run.options));

    expect(await tagsOf(database, collectionId)).toEqual([]);
    await newRunner(services).runJob(job.id, never);

    const done = await runOf(database, job);
    const { images, tagged: count, tags } = preview;
    expect(done).toMatchObject({ state: 'APPLIED', imageCount: 24, isAbandoned: false });
    expect(done).toMatchObject({ imageCount: images, taggedCount: count, tagCount: tags });
    expect(tags).toBeGreaterThan(0);
    expect(await tagsOf(database, collectionId)).toHaveLength(tags);
    const counted = await listRunLabels(pool, run.id, { after: null, limit: 100 });
    const byName = (a: { label: string }, b: { label: string }): number =>
      a.label < b.label ? -1 : 1;
    expect(counted.map(({ label, count: given }) => ({ label, given })).sort(byName)).toEqual(
      preview.labels.map(({ label, count: given }) => ({ label, given })).sort(byName),
    );
    for (const { best, borderline } of preview.labels) {
      expect(best).toHaveLength(5);
      expect(borderline).toHaveLength(6);
      const shown = best.map(({ probability }) => probability);
      expect(shown).toEqual([...shown].sort((a, b) => b - a));
    }
    expect((await getJob(prisma, job.id)).result).toMatchObject({ images: 24, tags });
  });

  test('a label brings those above it, which are at least as probable', async () => {
    const { id: collectionId } = await newCollection();
    const vocabulary = await newVocabulary(database, [
      'animal',
      { name: 'mammal', parents: ['animal'] },
      { name: 'dog', parents: ['mammal'] },
      'boat',
    ]);

    const run = await tagged(services, {
      ...{ collectionId, vocabulary, minTagsPerImage: 1, maxTagsPerImage: 1 },
    });

    const { rows } = await pool.query<{ broken: number; implied: number }>(
      `SELECT count(*) FILTER (WHERE p.label_id IS NULL OR p.probability < t.probability AND p.is_implied)::int AS broken,
         count(*) FILTER (WHERE p.is_implied)::int AS implied
       FROM run_tags t JOIN label_definitions d USING (label_id) CROSS JOIN unnest(d.parent_ids) AS parent(id)
       LEFT JOIN run_tags p ON p.run_id = t.run_id AND p.image_id = t.image_id AND p.label_id = parent.id
       WHERE t.run_id = $1`,
      [run.id],
    );
    expect(rows[0]?.broken).toBe(0);
    expect(rows[0]?.implied).toBeGreaterThan(0);
    expect(run.taggedCount).toBe(24);
  });

  test('without a filter supersedes earlier ones; reverted, those show again as they were', async () => {
    const { id: collectionId } = await newCollection();
    const vocabulary = await newVocabulary(database, LABELS);
    const first = await tagged(services, { collectionId, vocabulary, minTagsPerImage: 1 });
    const before = await tagsOf(database, collectionId);
    const second = await tagged(services, {
      ...{ collectionId, vocabulary, minTagsPerImage: 2, maxTagsPerImage: 2 },
    });
    expect((await getRun(database, first.id)).supersededById).toBe(second.id);
    expect(await tagsOf(database, collectionId)).not.toEqual(before);

    const job = await reverted(services, second);

    expect(job).toMatchObject({ state: 'SUCCEEDED', result: { tags: second.tagCount } });
    expect(await tagsOf(database, collectionId)).toEqual(before);
    expect(await getRun(database, second.id)).toMatchObject({ state: 'REVERTED' });
    expect(await tagsOfRun(second.id)).toBe(0);
  });

  test('with a filter looks at those images only, and adds to what is there', async () => {
    const { id: collectionId } = await newCollection();
    const vocabulary = await newVocabulary(database, LABELS);
    const first = await tagged(services, { collectionId, vocabulary, minTagsPerImage: 1 });

    const second = await tagged(services, {
      ...{ collectionId, vocabulary, minTagsPerImage: 3 },
      filter: { height: { max: 29 }, addedAt: { from: new Date('2020-01-01') } },
    });

    expect(second).toMatchObject({ state: 'APPLIED', imageCount: 10, taggedCount: 10 });
    expect((await getRun(database, first.id)).supersededById).toBeNull();
  });

  test('cancelled it leaves nothing that shows, and its rows are deleted', async () => {
    const { id: collectionId } = await newCollection();
    const vocabulary = await newVocabulary(database, LABELS);
    const job = await startedRun(database, { collectionId, vocabulary, minTagsPerImage: 1 });
    const run = await runOf(database, job);
    await newRunner(services)
      .runJob(job.id, AbortSignal.timeout(0))
      .catch(() => undefined);
    await pool.query(
      `INSERT INTO run_tags (image_id, label_id, run_id, score, probability)
       SELECT i.id, l.id, $1, 0, 1 FROM images i, labels l WHERE i.collection_id = $2 AND l.vocabulary_id = $3`,
      [run.id, collectionId, vocabulary.id],
    );
    await cancelJob(pool, job.id, new Date());

    await reclaimTagRuns(database, never);

    expect(await tagsOf(database, collectionId)).toEqual([]);
    expect(await runOf(database, job)).toMatchObject({ state: 'REVERTED', isAbandoned: true });
    expect(await tagsOfRun(run.id)).toBe(0);
  });

  test('paused and resumed it comes to the same end', async () => {
    const { id: collectionId } = await newCollection();
    const vocabulary = await newVocabulary(database, LABELS);
    const request = { collectionId, vocabulary, minTagsPerImage: 1 };
    await tagged(services, request);
    const expected = await tagsOf(database, collectionId);
    const job = await startedRun(database, request);
    const working = newRunner(services).runJob(job.id, never);
    await pauseJob(pool, job.id).catch(() => undefined); // may not be queued yet

    await working;
    await resumeJob(pool, job.id).catch(() => undefined);
    await newRunner(services).runJob(job.id, never);

    expect(await runOf(database, job)).toMatchObject({ state: 'APPLIED' });
    expect(await tagsOf(database, collectionId)).toEqual(expected);
  });

  test('images that are deleted meanwhile keep no rows', async () => {
    const { id: collectionId } = await newCollection();
    const vocabulary = await newVocabulary(database, LABELS);
    const job = await startedRun(database, { collectionId, vocabulary, minTagsPerImage: 1 });
    const images = await listImages(pool, { collectionId, after: null, limit: 5 });
    const ids = images.map(({ id }) => id);

    await Promise.all([
      newRunner(services).runJob(job.id, never),
      inTransaction(pool, (client) => deleteImages(client, collectionId, ids)),
    ]);

    const { rows } = await pool.query(
      'SELECT FROM run_tags t WHERE NOT EXISTS (SELECT FROM images i WHERE i.id = t.image_id)',
    );
    expect(rows).toHaveLength(0);
    expect(await runOf(database, job)).toMatchObject({ state: 'APPLIED' });
  });

  test('two at once come to their ends independently, one after the other', async () => {
    const { id: collectionId } = await newCollection();
    const vocabulary = await newVocabulary(database, LABELS);
    const jobs = await Promise.all(
      [1, 2].map((minTagsPerImage) =>
        startedRun(database, { collectionId, vocabulary, minTagsPerImage }),
      ),
    );

    await Promise.all(jobs.map(({ id }) => newRunner(services).runJob(id, never)));

    const runs = await Promise.all(jobs.map((job) => runOf(database, job)));
    expect(runs.map(({ state }) => state)).toEqual(['APPLIED', 'APPLIED']);
    const shown = runs.filter(({ supersededById }) => supersededById === null);
    expect(shown).toHaveLength(1);
    expect(await tagsOf(database, collectionId)).toHaveLength(shown[0]?.tagCount ?? -1);
  });

  test('keeps to what planning fixed, also when the kept vectors were deleted', async () => {
    const { id: collectionId } = await newCollection();
    const vocabulary = await newVocabulary(database, LABELS);
    const request = { collectionId, vocabulary, minTagsPerImage: 2 };
    await tagged(services, request);
    const expected = await tagsOf(database, collectionId);
    await pool.query('DELETE FROM label_vectors');

    await tagged(services, request);

    expect(await tagsOf(database, collectionId)).toEqual(expected);
  });

  test('fails as a whole when a range fails, and is whole after a retry', async () => {
    const { id: collectionId } = await newCollection();
    const vocabulary = await newVocabulary(database, LABELS);
    const job = await startedRun(database, { collectionId, vocabulary, minTagsPerImage: 1 });
    await pool.query(`UPDATE jobs SET max_attempts = 1 WHERE id = $1`, [job.id]);
    await pool.query(
      `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused'; END $$;
       CREATE TRIGGER refuse BEFORE INSERT ON run_ranges FOR EACH ROW EXECUTE FUNCTION refuse()`,
    );
    await newRunner(services).runJob(job.id, never);
    await pool.query('DROP TRIGGER refuse ON run_ranges; DROP FUNCTION refuse()');
    expect(await runOf(database, job)).toMatchObject({ state: 'BUILDING', isAbandoned: true });
    expect(await tagsOf(database, collectionId)).toEqual([]);

    await retryFailedItems(pool, job.id);
    await newRunner(services).runJob(job.id, never);

    expect(await runOf(database, job)).toMatchObject({ state: 'APPLIED', taggedCount: 24 });
  });
});
