import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import {
  Follower,
  type Change,
  type ChangeSource,
  type FollowerOptions,
} from '../../../indexer/vector-index/follower.ts';
import type { ThreadIndex } from '../../../indexer/vector-index/thread-index.ts';
import { temporaryFolder } from '../../support/bundles.ts';
import { withCode } from '../../support/errors.ts';
import { openIndex } from '../../support/vector-indexes.ts';
import { clusteredVectors, rowOf } from '../../support/vectors.ts';

const DIMENSIONS = 16;
const photos = clusteredVectors('followed', { count: 50, dimensions: DIMENSIONS });

/** A store's log of changes in memory. */
class Log implements ChangeSource {
  readonly changes: Change[] = [];
  readonly asked: bigint[] = [];
  failure: Error | null = null;

  add(row: number, vector = rowOf(photos, row)): void {
    this.changes.push({ seq: this.#next(), kind: 'add', id: idOf(row), vector });
  }

  remove(row: number): void {
    this.changes.push({ seq: this.#next(), kind: 'remove', id: idOf(row) });
  }

  changesAfter(seq: bigint, limit: number): Promise<readonly Change[]> {
    this.asked.push(seq);
    if (this.failure !== null) return Promise.reject(this.failure);
    return Promise.resolve(this.changes.filter((change) => change.seq > seq).slice(0, limit));
  }

  /** Sequences have gaps. */
  #next(): bigint {
    return 10n * BigInt(this.changes.length + 1);
  }
}

/** Waits only end by a wake, a stop, or `passPoll`. */
class ManualClock {
  ms = 0;
  #pending: (() => void)[] = [];
  readonly now = (): number => this.ms;
  readonly wait = (_ms: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      this.#pending.push(resolve);
      signal.addEventListener('abort', () => {
        resolve();
      });
    });

  passPoll(): void {
    for (const resolve of this.#pending.splice(0)) resolve();
  }
}

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

interface Following {
  readonly follower: Follower;
  readonly clock: ManualClock;
  readonly stop: () => Promise<void>;
}

function follow(
  source: ChangeSource,
  index: ThreadIndex,
  overrides: Partial<FollowerOptions> = {},
): Following {
  const clock = new ManualClock();
  const options = { source, index, startSeq: 0n, batchSize: 7, now: clock.now, wait: clock.wait };
  const follower = new Follower({ ...options, ...overrides });
  const controller = new AbortController();
  const running = follower.run(controller.signal);
  const stop = async (): Promise<void> => {
    controller.abort();
    await running;
  };
  stops.push(stop);
  return { follower, clock, stop };
}

async function emptyIndex(): Promise<ThreadIndex> {
  return (await openIndex('exact', DIMENSIONS)).index;
}

test('a follower catches up in batches and knows where it is', async () => {
  const log = new Log();
  for (let row = 0; row < 20; row++) log.add(row);
  const index = await emptyIndex();

  const { follower } = follow(log, index);
  await follower.caughtUp();

  expect(index.size).toBe(20);
  expect(follower.seq).toBe(200n);
  expect(log.asked.slice(0, 4)).toEqual([0n, 70n, 140n, 200n]);
});

test('a wake brings what is new; so does a poll when no wake comes', async () => {
  const log = new Log();
  const index = await emptyIndex();
  const { follower, clock } = follow(log, index);
  await follower.caughtUp();

  log.add(0);
  await follower.caughtUp();
  expect(index.size).toBe(1);
  log.add(1);
  clock.passPoll();
  await until(() => index.size === 2);

  expect(follower.seq).toBe(20n);
});

test('of several changes of one image the last is true', async () => {
  const log = new Log();
  log.add(1);
  log.add(2);
  log.remove(1);
  log.add(3, rowOf(photos, 30));
  log.add(3, rowOf(photos, 31));
  log.remove(2);
  log.add(2);
  const index = await emptyIndex();

  const { follower } = follow(log, index);
  await follower.caughtUp();

  expect(index.size).toBe(2);
  expect((await index.search(rowOf(photos, 31), 1)).ids[0]).toBe(idOf(3));
  expect((await index.search(rowOf(photos, 2), 1)).ids[0]).toBe(idOf(2));
});

test('a removal of what the index never had, or has lost by another hand, is no fault', async () => {
  const log = new Log();
  log.add(1);
  log.add(2);
  const index = await emptyIndex();
  const { follower } = follow(log, index);
  await follower.caughtUp();

  await index.remove(BigUint64Array.of(idOf(1)));
  log.remove(1);
  log.remove(9);
  await follower.caughtUp();

  expect(index.size).toBe(1);
  expect(follower.seq).toBe(40n);
});

test('after a restart it goes on from its snapshot, with what was removed meanwhile gone', async () => {
  const path = join(await temporaryFolder(), 'photos.index');
  const log = new Log();
  for (let row = 0; row < 10; row++) log.add(row);
  const before = await emptyIndex();
  const first = follow(log, before);
  await first.follower.caughtUp();
  await before.save(path, first.follower.seq);
  await first.stop();
  log.remove(4);
  log.add(20);
  log.asked.length = 0;

  const { index, restored } = await openIndex('exact', DIMENSIONS, { snapshot: path });
  const startSeq = restored.outcome === 'RESTORED' ? restored.lastSeq : 0n;
  const { follower } = follow(log, index, { startSeq });
  await follower.caughtUp();

  expect(log.asked[0]).toBe(100n);
  expect(index.size).toBe(10);
  expect((await index.search(rowOf(photos, 4), 1)).ids[0]).not.toBe(idOf(4));
  expect((await index.search(rowOf(photos, 20), 1)).ids[0]).toBe(idOf(20));
});

test('applying changes again changes nothing', async () => {
  const log = new Log();
  for (let row = 0; row < 10; row++) log.add(row);
  log.remove(0);
  const index = await emptyIndex();

  const first = follow(log, index);
  await first.follower.caughtUp();
  const again = follow(log, index);
  await again.follower.caughtUp();

  expect(index.size).toBe(9);
});

test('a source that fails is asked again, and the lag grows until it answers', async () => {
  const log = new Log();
  const failures: unknown[] = [];
  const index = await emptyIndex();
  const { follower, clock } = follow(log, index, { onFailure: (error) => failures.push(error) });
  await follower.caughtUp();
  expect(follower.lagMs).toBe(0);

  log.failure = new Error('the database restarts');
  log.add(1);
  clock.ms = 400;
  clock.passPoll();
  await until(() => failures.length === 1);
  expect(follower.isCaughtUp).toBe(false);
  clock.ms = 5000;
  expect(follower.lagMs).toBe(5000);
  log.failure = null;
  await follower.caughtUp();

  expect(follower.lagMs).toBe(0);
  expect(index.size).toBe(1);
});

test('a vector that can not be right is left out and reported, the others are not held up', async () => {
  const log = new Log();
  const refused: string[] = [];
  log.add(1);
  log.add(2, new Float32Array(DIMENSIONS).fill(NaN));
  log.add(3, rowOf(photos, 3).slice(1));
  log.add(4);
  log.add(1, new Float32Array(DIMENSIONS));
  const index = await emptyIndex();

  const { follower } = follow(log, index, {
    onRefused: ({ seq }, { code }) => refused.push(`${seq} ${code}`),
  });
  await follower.caughtUp();

  expect(refused).toEqual(['20 BAD_USER_INPUT', '30 DIMENSION_MISMATCH', '50 BAD_USER_INPUT']);
  expect(follower.seq).toBe(50n);
  expect((await index.search(rowOf(photos, 1), 5)).ids).toEqual(BigUint64Array.of(idOf(4)));
});

test('stopping ends it, and who waited for it is told', async () => {
  const log = new Log();
  log.failure = new Error('unreachable');
  const { follower, stop } = follow(log, await emptyIndex());

  const waiting = expect(follower.caughtUp()).rejects.toMatchObject(withCode('ABORTED'));
  await stop();

  await waiting;
});

function idOf(row: number): bigint {
  return photos.ids[row] ?? 0n;
}

/** Gives everything else its turn until something is so; the test's own time limit ends it otherwise. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}
