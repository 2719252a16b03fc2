import { afterEach, expect, test } from '@jest/globals';
import { WorkerPool } from '../../platform/worker-pool.ts';
import { withCode } from '../support/errors.ts';

interface Sleepy {
  readonly sleepMs?: number;
  readonly fail?: 'bug' | 'known' | 'die';
  readonly echo?: string;
}

const open: WorkerPool<Sleepy, string>[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((pool) => pool.close()));
});

async function startPool(size: number, data: unknown = {}): Promise<WorkerPool<Sleepy, string>> {
  const script = new URL('./sleepy-worker.ts', import.meta.url);
  const pool = await WorkerPool.start<Sleepy, string>({ script, size, data });
  open.push(pool);
  return pool;
}

test('requests are answered, each with its own answer', async () => {
  const pool = await startPool(2);

  const answers = await Promise.all(['a', 'b', 'c', 'd'].map((echo) => pool.run({ echo })));

  expect(answers).toEqual(['a', 'b', 'c', 'd']);
});

test('a known error crosses threads with its code, a bug with its message', async () => {
  const pool = await startPool(1);

  await expect(pool.run({ fail: 'known' })).rejects.toMatchObject(withCode('BAD_USER_INPUT'));
  await expect(pool.run({ fail: 'bug' })).rejects.toThrow('a bug');
});

test('a worker that can not start refuses the pool with its reason', async () => {
  await expect(startPool(2, { refuse: true })).rejects.toMatchObject(withCode('INVALID_BUNDLE'));
});

test('a worker that dies fails its request alone and is replaced', async () => {
  const pool = await startPool(1);

  const [died, waited] = await Promise.allSettled([
    pool.run({ fail: 'die' }),
    pool.run({ echo: 'after' }),
  ]);

  expect(died).toMatchObject({ status: 'rejected', reason: withCode('ENCODER_UNAVAILABLE') });
  expect(waited).toEqual({ status: 'fulfilled', value: 'after' });
});

test('an abort frees the caller at once and the worker stays', async () => {
  const pool = await startPool(1);
  const controller = new AbortController();

  const running = pool.run({ sleepMs: 200, echo: 'late' }, { signal: controller.signal });
  const waiting = pool.run({ echo: 'never run' }, { signal: controller.signal });
  controller.abort();

  await expect(running).rejects.toMatchObject(withCode('ABORTED'));
  await expect(waiting).rejects.toMatchObject(withCode('ABORTED'));
  expect(await pool.run({ echo: 'next' })).toBe('next');
});

test('a signal that has fired before is refused without a run', async () => {
  const pool = await startPool(1);

  await expect(pool.run({ echo: 'x' }, { signal: AbortSignal.abort() })).rejects.toMatchObject(
    withCode('ABORTED'),
  );
});

test('closing fails what still waits, and every later request', async () => {
  const pool = await startPool(1);
  const running = pool.run({ sleepMs: 100, echo: 'x' });
  const refused = expect(running).rejects.toMatchObject(withCode('ENCODER_UNAVAILABLE'));

  await pool.close();

  await refused;
  await expect(pool.run({ echo: 'x' })).rejects.toMatchObject(withCode('ENCODER_UNAVAILABLE'));
});
