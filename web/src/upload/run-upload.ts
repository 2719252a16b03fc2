import { delay } from '../delay.ts';
import type { JobProgressFragment } from '../generated/operations.ts';
import { ClientError, type Client } from '../graphql/client.ts';
import { JOB, UPLOAD_IMAGES } from '../graphql/operations.ts';

export interface UploadProgress {
  readonly files: number;
  /** Files whose bytes the server has. */
  readonly sent: number;
  readonly done: number;
  readonly failed: number;
  readonly skipped: number;
  readonly failures: readonly UploadFailure[];
}

export interface UploadFailure {
  readonly id: string;
  readonly path: string;
  readonly reason: string;
}

/** As many as the API takes in one request. */
const MAX_FILES = 100;
/** Keeps a request small enough to be sent again by a person with patience. */
const MAX_REQUEST_BYTES = 64_000_000;
const POLL_MS = 1000;
const ENDED: ReadonlySet<JobProgressFragment['state']> = new Set([
  'SUCCEEDED',
  'FAILED',
  'CANCELLED',
]);

/** Sends files in some requests, one after the other, and follows the jobs that embed them to their ends. */
export async function* runUpload(
  client: Client,
  collection: string,
  files: readonly File[],
  signal: AbortSignal,
): AsyncGenerator<UploadProgress, void, void> {
  const ended: JobProgressFragment[] = [];
  let sent = 0;
  yield progressOf(files.length, sent, ended);
  for (const batch of batches(files)) {
    let job = await sendPatiently(client, collection, batch, signal);
    sent += batch.length;
    for (;;) {
      yield progressOf(files.length, sent, [...ended, job]);
      if (ENDED.has(job.state)) break;
      await delay(POLL_MS, signal);
      job = await poll(client, job, signal);
    }
    ended.push(job);
    if (job.state === 'FAILED') {
      throw new ClientError('JOB_FAILED', 'The server could not go on with these images.');
    }
  }
}

async function send(
  client: Client,
  collection: string,
  files: readonly File[],
  signal: AbortSignal,
): Promise<JobProgressFragment> {
  const { uploadImages } = await client.upload(
    UPLOAD_IMAGES,
    // The files' places, filled from the map of the multipart request.
    { input: { collection, files: files.map(() => null) as unknown as readonly File[] } },
    new Map(files.map((file, i) => [`variables.input.files.${i}`, file])),
    { signal },
  );
  const [error] = uploadImages.userErrors;
  if (error !== undefined) throw new ClientError(error.code, error.message);
  if (uploadImages.job === null) {
    throw new ClientError('BAD_RESPONSE', 'The server took the files but started no job.');
  }
  return uploadImages.job;
}

/** Waits when the server says that it is too much for now: a hundred images are about half of what it takes at once. */
async function sendPatiently(
  ...[client, collection, files, signal]: Parameters<typeof send>
): Promise<JobProgressFragment> {
  for (;;) {
    try {
      return await send(client, collection, files, signal);
    } catch (error) {
      if (!(error instanceof ClientError) || error.code !== 'RATE_LIMITED') throw error;
      await delay((error.retryAfterSeconds ?? 5) * 1000, signal);
    }
  }
}

/** The job as it was when the server has no answer for the moment. */
async function poll(
  client: Client,
  job: JobProgressFragment,
  signal: AbortSignal,
): Promise<JobProgressFragment> {
  try {
    const answer = await client.execute(JOB, { id: job.id }, { signal });
    if (answer.job === null) throw new ClientError('NOT_FOUND', 'The job is gone.');
    return answer.job;
  } catch (error) {
    if (error instanceof ClientError && error.isTemporary) return job;
    throw error;
  }
}

function progressOf(
  files: number,
  sent: number,
  jobs: readonly JobProgressFragment[],
): UploadProgress {
  const sum = (count: (job: JobProgressFragment) => number): number =>
    jobs.reduce((total, job) => total + count(job), 0);
  return {
    files,
    sent,
    done: sum(({ done }) => done),
    failed: sum(({ failed }) => failed),
    skipped: sum(({ skipped }) => skipped),
    failures: jobs.flatMap(({ failures }) =>
      failures.edges.map(({ node: { id, path, reasonCode, message } }) => ({
        id,
        path,
        reason: message ?? reasonCode ?? 'No reason was given.',
      })),
    ),
  };
}

function batches(files: readonly File[]): readonly (readonly File[])[] {
  const all: File[][] = [];
  let bytes = 0;
  for (const file of files) {
    const last = all.at(-1);
    bytes += file.size;
    if (last === undefined || last.length === MAX_FILES || bytes > MAX_REQUEST_BYTES) {
      all.push([file]);
      bytes = file.size;
    } else {
      last.push(file);
    }
  }
  return all;
}
