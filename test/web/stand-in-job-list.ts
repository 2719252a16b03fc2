import type { Picture } from './pictures.ts';
import type { StandInJob } from './stand-in-jobs.ts';

/** Some jobs in different states, newest first. */
export function someJobs(pictures: readonly Picture[]): readonly StandInJob[] {
  return [
    standInJob({
      ...{ id: 'running', kind: 'INGEST', state: 'RUNNING', total: 200, done: 40, failed: 2 },
      ...{ skipped: 8, itemsPerSecond: 12.4, etaSeconds: 12, createdAt: time('12:00') },
      plan: plan({ files: 220, toRead: 200, toEmbed: 200, bytesToRead: 812_000_000 }),
      failures: failuresOf(pictures.slice(0, 2)),
    }),
    standInJob({
      ...{ id: 'building', kind: 'REINDEX', state: 'RUNNING', total: 120, done: 30 },
      ...{ itemsPerSecond: 3.2, etaSeconds: 28, createdAt: time('11:45'), generationId: 'g5' },
      plan: plan({ files: 119, toEmbed: 119, estimatedBytes: 1_400_000, estimatedSeconds: 40 }),
    }),
    standInJob({
      ...{ id: 'paused', kind: 'VERIFY', state: 'PAUSED', total: 6, done: 2 },
      createdAt: time('11:30'),
    }),
    standInJob({
      ...{ id: 'dry-run', kind: 'REINDEX', state: 'PLANNED', total: null },
      ...{ createdAt: time('11:20'), startedAt: null },
      plan: plan({ files: 119, toEmbed: 100, reused: 19, estimatedBytes: 1_400_000 }),
    }),
    standInJob({
      ...{ id: 'failures', kind: 'INGEST', state: 'SUCCEEDED', total: 60, done: 35, failed: 25 },
      ...{ createdAt: time('11:00'), finishedAt: time('11:02') },
      plan: plan({ files: 60, toRead: 60, toEmbed: 60, bytesToRead: 14_000_000 }),
      result: { decoded: 35, embedded: 30, reused: 5, moved: 0, removed: 0, unchanged: 0 },
      failures: failuresOf([...pictures.slice(3, 27), null]),
    }),
    standInJob({
      ...{ id: 'checks', kind: 'REINDEX', state: 'SUCCEEDED', total: 120, done: 119, failed: 1 },
      ...{ createdAt: time('10:30'), finishedAt: time('10:33'), generationId: 'g3' },
      result: { embedded: 119, reused: 0 },
      failures: [{ ...failure('checks of the generation', 'CHECKS_FAILED'), image: null }],
    }),
    standInJob({
      ...{ id: 'sound', kind: 'VERIFY', state: 'SUCCEEDED', total: 2, done: 2 },
      ...{ createdAt: time('10:10'), finishedAt: time('10:11') },
      result: {
        isSound: true,
        checks: [{ name: 'rows', isSound: true, detail: 'Looked at images: 119.' }],
      },
    }),
    standInJob({
      ...{ id: 'broken', kind: 'SNAPSHOT', state: 'FAILED', total: 1, skipped: 1 },
      ...{ createdAt: time('10:00'), finishedAt: time('10:01') },
      result: { message: 'There is no space left on the disk.' },
    }),
  ];
}

/** A job of `demo` that has nothing done. */
export function standInJob(change: Partial<StandInJob> & Pick<StandInJob, 'id'>): StandInJob {
  return {
    ...{ kind: 'INGEST', state: 'QUEUED', collection: { name: 'demo' } },
    ...{ total: 0, done: 0, failed: 0, skipped: 0, itemsPerSecond: null, etaSeconds: null },
    ...{ createdAt: time('09:00'), startedAt: time('09:00'), finishedAt: null },
    ...{ plan: null, result: null, failures: [] },
    ...change,
    startedAt: change.startedAt === undefined ? (change.createdAt ?? null) : change.startedAt,
  };
}

export function plan(change: Readonly<Record<string, number>>): object {
  return {
    ...{ files: 0, toRead: 0, toEmbed: 0, reused: 0, unchanged: 0, vanished: 0, toRemove: 0 },
    ...{ bytesToRead: 0, estimatedBytes: 0, estimatedSeconds: null },
    ...change,
  };
}

/** Of images; null: of a file that no image was made of. */
function failuresOf(pictures: readonly (Picture | null)[]): readonly object[] {
  return pictures.map((picture, i) =>
    picture === null
      ? { ...failure('photos/notes.txt', 'NOT_AN_IMAGE'), image: null }
      : { ...failure(picture.path, 'TRUNCATED'), id: `item-${i}`, image: picture },
  );
}

function failure(path: string, reasonCode: string): object {
  const message = REASONS[reasonCode];
  return { id: `item ${path}`, path, state: 'FAILED', reasonCode, message, attempts: 3 };
}

const REASONS: Readonly<Record<string, string>> = {
  TRUNCATED: 'The file ends too early.',
  NOT_AN_IMAGE: 'No image of an allowed format.',
  CHECKS_FAILED: 'Recall is too low.',
};

function time(clock: string): string {
  return `2026-11-24T${clock}:00.000Z`;
}
