import { Worker, type Transferable } from 'node:worker_threads';
import { PlatformError, throwIfAborted } from './errors.ts';
import { fromWire, type WorkerReply } from './worker-service.ts';

export interface WorkerPoolOptions {
  /** A module that calls `serveWorker`. */
  readonly script: URL;
  /** Threads. Each runs one request at a time. */
  readonly size: number;
  /** What each worker is started with; must be structured-cloneable. */
  readonly data: unknown;
}

export interface RunOptions {
  readonly signal?: AbortSignal | undefined;
  readonly transfer?: readonly Transferable[];
}

interface Task<Response> {
  readonly request: unknown;
  readonly transfer: readonly Transferable[];
  readonly signal: AbortSignal | undefined;
  resolve(response: Response): void;
  reject(error: unknown): void;
  /** Set when the caller gave up; the worker's answer is dropped. */
  isAbandoned: boolean;
}

const ENTRY = new URL('./worker-entry.js', import.meta.url);

/**
 * Threads that answer requests, one each at a time, first come first served.
 *
 * A worker that dies fails the request it had with `ENCODER_UNAVAILABLE` and is replaced; if the replacement can't
 * start, requests fail with its reason. Aborting a request frees the caller at once; a worker that has begun it
 * finishes it and the answer is dropped, so that nothing has to be loaded again.
 */
export class WorkerPool<Request, Response> {
  readonly #options: WorkerPoolOptions;
  readonly #workers = new Set<Worker>();
  readonly #idle: Worker[] = [];
  readonly #running = new Map<Worker, Task<Response>>();
  readonly #queue: Task<Response>[] = [];
  /** Requests that a signal would stop. A signal's listener lives as long as the signal. */
  readonly #watched = new WeakMap<AbortSignal, Set<Task<Response>>>();
  #isClosed = false;
  #startFailure: unknown = null;

  private constructor(options: WorkerPoolOptions) {
    this.#options = options;
  }

  /** Starts all workers; rejects with the first worker's reason when one can't start. */
  static async start<Request, Response>(
    options: WorkerPoolOptions,
  ): Promise<WorkerPool<Request, Response>> {
    const pool = new WorkerPool<Request, Response>(options);
    const starts = Array.from({ length: options.size }, () => pool.#startWorker());
    const failed = (await Promise.allSettled(starts)).find((start) => start.status === 'rejected');
    if (failed) {
      await pool.close();
      throw failed.reason;
    }
    return pool;
  }

  get size(): number {
    return this.#options.size;
  }

  run(request: Request, { signal, transfer = [] }: RunOptions = {}): Promise<Response> {
    return new Promise<Response>((resolve, reject) => {
      throwIfAborted(signal);
      if (this.#isClosed) throw new PlatformError('ENCODER_UNAVAILABLE', 'The encoder is closed.');
      const task: Task<Response> = {
        request,
        transfer,
        signal,
        resolve,
        reject,
        isAbandoned: false,
      };
      if (signal) this.#watch(task, signal);
      this.#queue.push(task);
      this.#dispatch();
    });
  }

  /** Ends the workers; requests that have no answer yet fail with `ENCODER_UNAVAILABLE`. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#failWaiting(new PlatformError('ENCODER_UNAVAILABLE', 'The encoder was closed.'));
    await Promise.all([...this.#workers].map((worker) => endWorker(worker)));
  }

  #startWorker(): Promise<void> {
    const { script, data } = this.#options;
    const worker = new Worker(ENTRY, { workerData: { script: script.href, data } });
    this.#workers.add(worker);
    return new Promise((resolve, reject) => {
      worker.on('message', (reply: WorkerReply<Response>) => {
        switch (reply.kind) {
          case 'ready':
            this.#release(worker);
            resolve();
            break;
          case 'failed-start':
            reject(fromWire(reply.error));
            break;
          case 'done':
          case 'failed':
            this.#settle(worker, reply);
            break;
        }
      });
      worker.on('error', (error) => {
        const reason = new PlatformError('ENCODER_UNAVAILABLE', 'A worker died.', { cause: error });
        this.#running.get(worker)?.reject(reason);
        reject(reason);
      });
      worker.on('exit', () => {
        this.#onExit(worker, reject);
      });
    });
  }

  #onExit(worker: Worker, rejectStart: (error: unknown) => void): void {
    const reason = new PlatformError('ENCODER_UNAVAILABLE', 'A worker ended before it answered.');
    rejectStart(reason);
    this.#running.get(worker)?.reject(reason);
    const wasReady = this.#running.delete(worker) || this.#idle.includes(worker);
    this.#workers.delete(worker);
    if (this.#idle.includes(worker)) this.#idle.splice(this.#idle.indexOf(worker), 1);
    if (this.#isClosed) return;
    if (this.#workers.size === 0 && this.#startFailure !== null)
      this.#failWaiting(this.#startFailure);
    if (!wasReady) return;
    this.#startWorker().catch((error: unknown) => {
      this.#startFailure = error;
      if (this.#workers.size === 0) this.#failWaiting(error);
    });
  }

  #settle(
    worker: Worker,
    reply: Extract<WorkerReply<Response>, { kind: 'done' | 'failed' }>,
  ): void {
    const task = this.#running.get(worker);
    this.#running.delete(worker);
    if (task) this.#forget(task);
    if (reply.kind === 'done') task?.resolve(reply.response);
    else task?.reject(fromWire(reply.error));
    this.#release(worker);
  }

  #release(worker: Worker): void {
    worker.unref(); // an idle worker does not keep the process alive
    this.#idle.push(worker);
    this.#dispatch();
  }

  #dispatch(): void {
    if (this.#workers.size === 0 && this.#startFailure !== null)
      this.#failWaiting(this.#startFailure);
    while (this.#idle.length > 0) {
      const task = this.#queue.shift();
      if (task === undefined) return;
      if (task.isAbandoned) continue;
      const worker = this.#idle.pop();
      if (worker === undefined) return;
      this.#running.set(worker, task);
      worker.ref();
      worker.postMessage(task.request, task.transfer);
    }
  }

  /** One listener a signal, however many requests it stops. */
  #watch(task: Task<Response>, signal: AbortSignal): void {
    const watched = this.#watched.get(signal);
    if (watched) {
      watched.add(task);
      return;
    }
    const tasks = new Set([task]);
    this.#watched.set(signal, tasks);
    signal.addEventListener(
      'abort',
      () => {
        const reason = { cause: signal.reason as unknown };
        for (const one of tasks) {
          one.isAbandoned = true;
          one.reject(new PlatformError('ABORTED', 'Stopped on request.', reason));
        }
        tasks.clear();
      },
      { once: true },
    );
  }

  #forget(task: Task<Response>): void {
    if (task.signal) this.#watched.get(task.signal)?.delete(task);
  }

  #failWaiting(reason: unknown): void {
    for (const task of [...this.#queue.splice(0), ...this.#running.values()]) task.reject(reason);
  }
}

/** Asks the worker to free what it holds and end, and ends it by force when it doesn't. */
async function endWorker(worker: Worker): Promise<void> {
  worker.ref();
  const ended = new Promise<void>((resolve) => {
    worker.once('exit', () => {
      resolve();
    });
  });
  worker.postMessage({ kind: 'close' });
  const force = setTimeout(() => void worker.terminate(), 5000);
  await ended;
  clearTimeout(force);
}
