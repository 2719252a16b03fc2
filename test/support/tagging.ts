import { readOptions } from '../../indexer/tagging/run-request.ts';
import { startRevert, startTagRun } from '../../indexer/tagging/start-run.ts';
import type { ChoiceOptions } from '../../indexer/tagging/label-rules.ts';
import type { JobServices } from '../../indexer/jobs/index.ts';
import type { Database } from '../../store/database.ts';
import type { CollectionId, TagRunId } from '../../store/ids.ts';
import type { ImageFilter } from '../../store/image-query.ts';
import type { JobRecord } from '../../store/jobs.ts';
import { putVocabulary, type NewLabel } from '../../store/put-vocabulary.ts';
import { findTagRun, findTagRunsOfJobs, type TagRunRecord } from '../../store/tag-runs.ts';
import type { VocabularyRecord } from '../../store/vocabularies.ts';
import { newRunner } from './indexing.ts';
import { freshName } from './rows.ts';

export type LabelLike = string | (Partial<NewLabel> & { readonly name: string });

/** A new vocabulary of these labels, or a new version of one. */
export async function newVocabulary(
  { pool }: Database,
  labels: readonly LabelLike[],
  name = freshName('vocabulary'),
): Promise<VocabularyRecord> {
  const { vocabulary } = await putVocabulary(pool, {
    ...{ name, description: null, ifVersion: null, createdBy: 'test', now: new Date() },
    labels: labels.map((label) => ({
      ...{ prompts: [], negativePrompts: [], exampleImageIds: [], threshold: null, parents: [] },
      ...(typeof label === 'string' ? { name: label } : label),
    })),
  });
  return vocabulary;
}

export interface RunRequest extends Partial<ChoiceOptions> {
  readonly collectionId: CollectionId;
  readonly vocabulary: VocabularyRecord;
  readonly filter?: ImageFilter;
}

const DEFAULTS = { maxTagsPerImage: 5, minTagsPerImage: 0, minProbability: 0.5, filter: {} };
const ASKER = { createdBy: 'test', idempotencyKey: null };
const never = new AbortController().signal;

/** A run's job, not done yet. */
export function startedRun(
  database: Database,
  { collectionId, vocabulary, ...options }: RunRequest,
): Promise<JobRecord> {
  const request = { collectionId, vocabulary, version: null };
  const all = readOptions({ ...DEFAULTS, ...options });
  return startTagRun(database, { ...request, options: all }, { ...ASKER, now: new Date() });
}

/** A run that was worked on to its end. */
export async function tagged(services: JobServices, request: RunRequest): Promise<TagRunRecord> {
  const job = await startedRun(services.database, request);
  await newRunner(services).runJob(job.id, never);
  return runOf(services.database, job);
}

export async function runOf({ pool }: Database, job: JobRecord): Promise<TagRunRecord> {
  const run = (await findTagRunsOfJobs(pool, [job.id])).get(job.id);
  if (run) return run;
  throw new Error('The job has no run.');
}

export async function getRun({ pool }: Database, id: TagRunId): Promise<TagRunRecord> {
  const run = await findTagRun(pool, id);
  if (run) return run;
  throw new Error('There is no such run.');
}

/** Takes a run back, rows and all. */
export async function reverted(services: JobServices, { id }: TagRunRecord): Promise<JobRecord> {
  const run = await getRun(services.database, id);
  const job = await startRevert(services.database, run, { ...ASKER, now: new Date() });
  return newRunner(services).runJob(job.id, never);
}

/** The tags that a collection's images have, as `image label source probability`, in order. */
export async function tagsOf({ pool }: Database, id: CollectionId): Promise<readonly string[]> {
  const { rows } = await pool.query<{ tag: string }>(
    `SELECT concat_ws(' ', i.path, l.name, t.source, t.state, t.probability) AS tag
     FROM image_tags t JOIN images i ON i.id = t.image_id JOIN labels l ON l.id = t.label_id
     WHERE i.collection_id = $1 ORDER BY 1`,
    [id],
  );
  return rows.map(({ tag }) => tag);
}

export async function countRunTags({ pool }: Database, id: TagRunId): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(
    'SELECT count(*)::int AS count FROM run_tags WHERE run_id = $1',
    [id],
  );
  return rows[0]?.count ?? 0;
}
