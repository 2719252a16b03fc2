import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import type { TagVerdictInput } from '../../web/src/generated/operations.ts';
import { ClientError } from '../../web/src/graphql/client.ts';
import {
  BOARD_SIZE,
  ReviewSession,
  type QueuePage,
  type ReviewBackend,
  type ReviewItem,
} from '../../web/src/review/review-session.ts';

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

test('verdicts go together after a moment, each tag once', async () => {
  const backend = new Backend(30);
  const session = await begun(backend);

  session.decide([0], 'ACCEPT');
  session.decide([1, 2], 'REJECT');
  session.decide([3], 'SKIP');
  session.decide([0], 'REJECT'); // another mind
  expect(session.getSnapshot()).toMatchObject({ unsent: 4, reviewed: 3, remaining: 27 });
  await jest.advanceTimersByTimeAsync(1000);

  expect(backend.sent).toEqual([['0 REJECT', '1 REJECT', '2 REJECT']]);
  expect(session.getSnapshot()).toMatchObject({ unsent: 0, sendError: null });
});

test('undo takes the last decision back, and the API is told so', async () => {
  const backend = new Backend(30);
  const session = await begun(backend);
  session.decide([0], 'ACCEPT');
  session.decide([1, 2], 'REJECT');
  await jest.advanceTimersByTimeAsync(1000);

  expect(session.undo()).toEqual([1, 2]);
  await jest.advanceTimersByTimeAsync(1000);

  expect(backend.sent).toEqual([
    ['0 ACCEPT', '1 REJECT', '2 REJECT'],
    ['1 CLEAR', '2 CLEAR'],
  ]);
  expect([...session.getSnapshot().decisions]).toEqual([[0, 'ACCEPT']]);
});

test('what a verdict took along is undone with it', async () => {
  const backend = new Backend(30);
  const session = await begun(backend);
  session.decide([0], 'ACCEPT');
  session.decide([1], 'ACCEPT');
  await jest.advanceTimersByTimeAsync(1000);

  session.undo();
  await jest.advanceTimersByTimeAsync(1000);

  expect(backend.sent[1]).toEqual(['1 CLEAR', '1 CLEAR animal']);
});

test('what wasn’t sent yet is undone without a word', async () => {
  const backend = new Backend(30);
  const session = await begun(backend);

  session.decide([0], 'ACCEPT');
  session.decide([1], 'REJECT');
  session.undo();
  await jest.advanceTimersByTimeAsync(1000);

  expect(backend.sent).toEqual([['0 ACCEPT']]);
});

test('undoing a skip sends nothing', async () => {
  const backend = new Backend(3);
  const session = await begun(backend);

  session.decide([0], 'SKIP');
  session.undo();
  await jest.advanceTimersByTimeAsync(1000);

  expect(backend.sent).toEqual([]);
});

test('a decided board makes way for the next, and undo comes back to it', async () => {
  const session = await begun(new Backend(60));

  session.decide(range(0, BOARD_SIZE - 1), 'ACCEPT');
  expect(session.getSnapshot().board).toBe(0);
  session.decide([BOARD_SIZE - 1], 'ACCEPT');
  expect(session.getSnapshot().board).toBe(BOARD_SIZE);
  session.undo();

  expect(session.getSnapshot().board).toBe(0);
});

test('the queue is filled before it runs out', async () => {
  const backend = new Backend(200);
  const session = await begun(backend);
  const { items } = session.getSnapshot();
  expect(items.length).toBeGreaterThanOrEqual(3 * BOARD_SIZE);

  session.showBoard(BOARD_SIZE);
  session.showBoard(3 * BOARD_SIZE);
  await jest.advanceTimersByTimeAsync(0);

  expect(session.getSnapshot().items.length).toBeGreaterThan(items.length);
  expect(session.getSnapshot().remaining).toBe(200);
});

test('what can’t be sent for a while is sent when it can, and nothing is lost', async () => {
  const backend = new Backend(30);
  const session = await begun(backend);
  backend.failure = new ClientError('UNREACHABLE', "The server can't be reached.");

  session.decide([0], 'ACCEPT');
  await jest.advanceTimersByTimeAsync(1500);
  session.decide([1], 'ACCEPT');
  expect(session.getSnapshot()).toMatchObject({ unsent: 2, sendError: { code: 'UNREACHABLE' } });
  backend.failure = null;
  await jest.advanceTimersByTimeAsync(20_000);

  expect(backend.sent).toEqual([['0 ACCEPT', '1 ACCEPT']]);
  expect(session.getSnapshot()).toMatchObject({ unsent: 0, sendError: null });
});

test('what is refused waits for a person', async () => {
  const backend = new Backend(30);
  const session = await begun(backend);
  backend.failure = new ClientError('FORBIDDEN', 'No.');

  session.decide([0], 'ACCEPT');
  await jest.advanceTimersByTimeAsync(60_000);
  expect(backend.attempts).toBe(1);
  backend.failure = null;
  session.retrySending();
  await jest.advanceTimersByTimeAsync(0);

  expect(backend.sent).toEqual([['0 ACCEPT']]);
});

test('a page that doesn’t come is asked for again by hand', async () => {
  const backend = new Backend(30);
  backend.loadFailure = new ClientError('INDEX_UNAVAILABLE', 'Not now.');
  const session = await begun(backend);
  expect(session.getSnapshot()).toMatchObject({ state: 'failed' });

  backend.loadFailure = null;
  session.start();
  await jest.advanceTimersByTimeAsync(0);

  expect(session.getSnapshot()).toMatchObject({ state: 'ready', loadError: null });
});

class Backend implements ReviewBackend {
  readonly sent: string[][] = [];
  attempts = 0;
  failure: ClientError | null = null;
  loadFailure: ClientError | null = null;
  readonly #total: number;

  constructor(total: number) {
    this.#total = total;
  }

  load(after: string | null): Promise<QueuePage> {
    if (this.loadFailure !== null) return Promise.reject(this.loadFailure);
    const start = after === null ? 0 : Number(after);
    const end = Math.min(start + 60, this.#total);
    const next = end < this.#total ? String(end) : null;
    return Promise.resolve({ items: range(start, end).map(item), next, totalCount: this.#total });
  }

  send(verdicts: readonly TagVerdictInput[]): Promise<readonly TagVerdictInput[]> {
    this.attempts++;
    if (this.failure !== null) return Promise.reject(this.failure);
    this.sent.push(
      verdicts.map(({ imageId, label, verdict }) => {
        return `${imageId} ${verdict}${label === 'dog' ? '' : ` ${label}`}`;
      }),
    );
    const direct = verdicts.map((it) => ({ ...it, verdict: 'CLEAR' as const }));
    const accepted = verdicts.filter(({ verdict }) => verdict === 'ACCEPT');
    const along = accepted.map((it) => ({ ...it, label: 'animal', verdict: 'CLEAR' as const }));
    return Promise.resolve([...direct, ...along]);
  }
}

async function begun(backend: Backend): Promise<ReviewSession> {
  const session = new ReviewSession(backend);
  session.start();
  await jest.advanceTimersByTimeAsync(0);
  return session;
}

function item(place: number): ReviewItem {
  const links = { thumbnailUrl: '/t', largeUrl: '/l' };
  return {
    image: { id: String(place), path: `${place}.jpg`, width: 4, height: 3, ...links },
    ...{ vocabulary: 'animals', label: 'dog', score: 0.2, probability: 0.6, threshold: 0.5 },
    ...{ isTagged: true, isSampled: false },
  };
}

function range(start: number, end: number): readonly number[] {
  return Array.from({ length: end - start }, (_, i) => start + i);
}
