import { PlatformError } from '../../platform/errors.ts';
import type { Database } from '../../store/database.ts';
import { findLiveGeneration } from '../../store/generations.ts';
import type { CollectionId } from '../../store/ids.ts';
import { createJob, findJobByKey, listUnfinishedJobs, type JobRecord } from '../../store/jobs.ts';
import { storableJson } from '../../store/storable-json.ts';
import { ensureTagRun, type TagRunRecord } from '../../store/tag-runs.ts';
import { countLabels } from '../../store/vocabulary-labels.ts';
import type { VocabularyRecord } from '../../store/vocabularies.ts';
import { notifyWorkers } from '../../store/worker-presence.ts';
import { revertInput, tagInput, type TagInput } from '../jobs/tag-input.ts';
import { checkedVersion } from './written-vocabulary.ts';
import type { RunOptions, RunTarget } from './prepare-run.ts';

const ALL = { search: null, usedIn: null };

export interface TagRunRequest {
  readonly collectionId: CollectionId;
  readonly vocabulary: VocabularyRecord;
  /** Null: the newest. */
  readonly version: number | null;
  readonly options: RunOptions;
}

export interface Asker {
  readonly createdBy: string;
  readonly idempotencyKey: string | null;
  readonly now: Date;
}

/**
 * What a run would be over and go by now: the live generation and its text model. Throws `NOT_FOUND` for a version that isn't there,
 * `BAD_USER_INPUT` for one without labels and an open vocabulary, `GENERATION_NOT_READY` and `MODEL_MISMATCH`.
 */
export async function resolveTarget(
  { pool, prisma }: Database,
  { collectionId, vocabulary, version: asked }: Omit<TagRunRequest, 'options'>,
): Promise<RunTarget> {
  const version = checkedVersion(vocabulary, asked);
  const { id: vocabularyId, name, isOpen } = vocabulary;
  if (isOpen) {
    const message = `The labels of "${name}" are whatever files and people called things, in all collections: put those you mean into a vocabulary.`;
    throw new PlatformError('BAD_USER_INPUT', message);
  }
  if ((await countLabels(pool, { vocabularyId, version }, ALL)) === 0) {
    const message = `Version ${version} of "${name}" has no labels: give it some.`;
    throw new PlatformError('BAD_USER_INPUT', message);
  }
  return { ...(await resolveModels({ prisma }, collectionId)), vocabularyId, version };
}

/** The live generation and its text model. Throws `GENERATION_NOT_READY` and `MODEL_MISMATCH`. */
export async function resolveModels(
  { prisma }: Pick<Database, 'prisma'>,
  collectionId: CollectionId,
): Promise<Omit<RunTarget, 'vocabularyId' | 'version'>> {
  const live = await findLiveGeneration(prisma, collectionId);
  if (live === null) {
    throw new PlatformError('GENERATION_NOT_READY', 'The collection has no live generation yet.');
  }
  const { visionSpaceId, textModelId } = live;
  if (textModelId !== null) return { collectionId, visionSpaceId, textModelId };
  const message = "No text model of the collection's vision space is known: train one.";
  throw new PlatformError('MODEL_MISMATCH', message);
}

/** Makes the job and its run; a worker plans it and does it. */
export async function startTagRun(
  database: Database,
  request: TagRunRequest,
  { createdBy, idempotencyKey, now }: Asker,
): Promise<JobRecord> {
  const { pool, prisma } = database;
  const earlier =
    idempotencyKey === null ? null : await findJobByKey(prisma, { createdBy, idempotencyKey });
  if (earlier?.kind === 'TAG') return earlier;
  const target = await resolveTarget(database, request);
  const input = JSON.parse(storableJson({ ...target, options: request.options })) as object;
  const job = await createJob(prisma, {
    ...{ kind: 'TAG', collectionId: target.collectionId, createdBy, idempotencyKey, now },
    input: { ...input },
  });
  await ensureRunOf(database, job, tagInput.parse(job.input));
  await notifyWorkers(pool);
  return job;
}

/** The run that a TAG job makes, also where its starter died before it made the row. */
export function ensureRunOf(
  { pool }: Pick<Database, 'pool'>,
  { id, createdBy, createdAt }: JobRecord,
  { options, ...target }: TagInput,
): Promise<TagRunRecord> {
  return ensureTagRun(pool, { ...target, options, jobId: id, createdBy, createdAt });
}

/** Makes the job that takes a run back. Throws `CONFLICT` when there is nothing to take back, or another job does it. */
export async function startRevert(
  { pool, prisma }: Database,
  run: TagRunRecord,
  { createdBy, idempotencyKey, now }: Asker,
): Promise<JobRecord> {
  const earlier =
    idempotencyKey === null ? null : await findJobByKey(prisma, { createdBy, idempotencyKey });
  if (earlier?.kind === 'REVERT_TAGS') return earlier;
  if (run.state !== 'APPLIED') throw new PlatformError('CONFLICT', whyNot(run));
  const open = await listUnfinishedJobs(prisma, 'REVERT_TAGS', run.collectionId);
  const other = open.find(({ input }) => revertInput.safeParse(input).data?.tagRunId === run.id);
  if (other !== undefined) {
    throw new PlatformError('CONFLICT', `The job ${other.id} is taking the run back already.`);
  }
  const { id: tagRunId, collectionId } = run;
  const job = await createJob(prisma, {
    ...{ kind: 'REVERT_TAGS', collectionId, createdBy, idempotencyKey, now },
    input: { tagRunId },
  });
  await notifyWorkers(pool);
  return job;
}

function whyNot({ state, isAbandoned }: TagRunRecord): string {
  if (isAbandoned) return 'The run was never applied: none of its tags ever showed.';
  return state === 'REVERTED'
    ? 'The run was reverted before.'
    : 'The run is not applied yet: cancel its job.';
}
