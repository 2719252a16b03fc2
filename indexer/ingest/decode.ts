import { fork, type ChildProcess } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { PlatformError, throwIfAborted } from '../../platform/errors.ts';
import type {
  ChildReply,
  ChildRequest,
  DecodedImage,
  DecodeSource,
  DecodeTask,
  FileDigest,
} from './decoder-protocol.ts';
import { UnreadableImage } from './reasons.ts';

export type { DecodedImage, DecodeSource, FileDigest, DecodeTask };

export interface DecoderOptions {
  /** Processes; each holds some 80 MB. Default: one a core. */
  readonly processes?: number;
  /** A file that takes longer is given up, and its process with it. Default 30 s. */
  readonly timeoutMs?: number;
  /** Longest file. Default 256 MB. */
  readonly maxBytes?: number;
  /** Most pixels of a picture. Default 100 million, some 300 MB while it is decoded. */
  readonly maxPixels?: number;
  /** Files after which a process is replaced, against leaks in decoders. Default 5,000. */
  readonly filesPerProcess?: number;
}

const ENTRY = fileURLToPath(new URL('./decoder-entry.js', import.meta.url));
const DEFAULTS = {
  timeoutMs: 30_000,
  maxBytes: 256_000_000,
  maxPixels: 100_000_000,
  filesPerProcess: 5000,
};
/** Children start in about half a second; a machine that swaps takes longer. */
const START_TIMEOUT_MS = 60_000;

interface Task {
  readonly request: ChildRequest;
  resolve(reply: ChildReply): void;
  reject(error: Error): void;
}

interface Child {
  readonly process: ChildProcess;
  files: number;
  task: Task | null;
  timer: NodeJS.Timeout | null;
}

/** Its process died while it had a file; whether the file did it isn't known yet. */
class ChildDied extends Error {}

/**
 * Decodes pictures in processes of their own, one file at a time each, so that a file that crashes, hangs or floods a
 * decoder harms itself alone. Processes start with the first file. A file whose process died is tried once more, without
 * its EXIF, and then given up as `DECODER_DIED`.
 */
export class Decoder {
  readonly #options: Required<DecoderOptions>;
  readonly #children = new Set<Child>();
  readonly #idle: Child[] = [];
  readonly #queue: Task[] = [];
  #isClosed = false;
  /** Children that ended before they were ready, in a row. */
  #failedStarts = 0;

  constructor(options: DecoderOptions = {}) {
    this.#options = { processes: availableParallelism(), ...DEFAULTS, ...options };
  }

  /** A file's SHA-256, length and time. Throws `UnreadableImage`, `ABORTED`. */
  async hash(path: string, signal?: AbortSignal): Promise<FileDigest> {
    const limits = this.#limits();
    const reply = await this.#run(() => ({ kind: 'hash', path, limits }), signal);
    if (reply.kind !== 'hashed') throw new Error(`A decoder answered ${reply.kind}.`);
    return reply.digest;
  }

  /** A picture's facts, and what else is asked for: pixels, a thumbnail. Throws `UnreadableImage`, `ABORTED`. */
  async decode(
    source: DecodeSource,
    task: Partial<Omit<DecodeTask, 'readsExif'>> = {},
    signal?: AbortSignal,
  ): Promise<DecodedImage> {
    const whole = { input: null, thumbnail: null, expectedSha256: null, ...task };
    const limits = this.#limits();
    const reply = await this.#run(
      (attempt) => ({
        ...{ kind: 'decode', source, limits },
        task: { ...whole, readsExif: attempt === 1 },
      }),
      signal,
    );
    if (reply.kind !== 'decoded') throw new Error(`A decoder answered ${reply.kind}.`);
    return reply.image;
  }

  /** Ends the processes; calls in progress fail with `ABORTED`. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const closed = new PlatformError('ABORTED', 'The decoder was closed.');
    for (const task of this.#queue.splice(0)) task.reject(closed);
    for (const child of [...this.#children]) child.task?.reject(closed);
    await Promise.all([...this.#children].map((child) => this.#end(child)));
  }

  /** The processes there are, and whether each has a file. */
  get processes(): readonly { readonly id: number; readonly isBusy: boolean }[] {
    return [...this.#children].flatMap(({ process: { pid }, task }) =>
      pid === undefined ? [] : [{ id: pid, isBusy: task !== null }],
    );
  }

  #limits(): { maxBytes: number; maxPixels: number } {
    const { maxBytes, maxPixels } = this.#options;
    return { maxBytes, maxPixels };
  }

  async #run(
    request: (attempt: number) => ChildRequest,
    signal: AbortSignal | undefined,
  ): Promise<ChildReply> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#ask(request(attempt), signal);
      } catch (error) {
        if (!(error instanceof ChildDied)) throw error;
        if (attempt > 1) {
          const story = 'The decoder died of this file, twice.';
          throw new UnreadableImage('DECODER_DIED', story, { cause: error });
        }
      }
    }
  }

  async #ask(request: ChildRequest, signal: AbortSignal | undefined): Promise<ChildReply> {
    throwIfAborted(signal);
    if (this.#isClosed) throw new PlatformError('ABORTED', 'The decoder is closed.');
    const reply = await new Promise<ChildReply>((resolve, reject) => {
      const stop = (): void => {
        const at = this.#queue.indexOf(task);
        if (at !== -1) this.#queue.splice(at, 1); // what has begun is finished, its answer dropped
        task.reject(new PlatformError('ABORTED', 'Stopped on request.', { cause: signal?.reason }));
      };
      const forget = (): void => signal?.removeEventListener('abort', stop);
      const task: Task = {
        request,
        resolve: (answer) => {
          forget();
          resolve(answer);
        },
        reject: (error) => {
          forget();
          reject(error);
        },
      };
      signal?.addEventListener('abort', stop);
      this.#queue.push(task);
      this.#dispatch();
    });
    if (reply.kind === 'unreadable') throw new UnreadableImage(reply.reason, reply.message);
    if (reply.kind === 'failed') throw new Error(`Decoding failed: ${reply.message}`);
    return reply;
  }

  #dispatch(): void {
    while (this.#queue.length > 0) {
      const child = this.#idle.pop();
      if (child === undefined) break;
      const task = this.#queue.shift();
      if (task) this.#give(child, task);
    }
    const wanted = Math.min(this.#options.processes, this.#children.size + this.#queue.length);
    while (!this.#isClosed && this.#children.size < wanted) this.#start();
  }

  #give(child: Child, task: Task): void {
    child.task = task;
    child.files++;
    child.process.ref();
    child.process.channel?.ref();
    child.timer = setTimeout(() => {
      this.#giveUp(child);
    }, this.#options.timeoutMs);
    child.process.send(task.request, (error) => {
      if (error !== null) child.process.kill('SIGKILL'); // its end is heard below
    });
  }

  #giveUp(child: Child): void {
    const { task } = child;
    child.task = null;
    const seconds = this.#options.timeoutMs / 1000;
    task?.reject(new UnreadableImage('TIMEOUT', `It wasn't decoded within ${seconds} seconds.`));
    child.process.kill('SIGKILL');
  }

  #start(): void {
    const forked = fork(ENTRY, {
      serialization: 'advanced',
      execArgv: [],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    const child: Child = { process: forked, files: 0, task: null, timer: null };
    this.#children.add(child);
    const slowStart = setTimeout(() => forked.kill('SIGKILL'), START_TIMEOUT_MS);
    let isReady = false;
    forked.on('message', (reply: ChildReply) => {
      if (reply.kind === 'ready') {
        clearTimeout(slowStart);
        isReady = true;
        this.#failedStarts = 0;
        this.#rest(child);
      } else this.#finish(child, reply);
    });
    forked.on('error', () => undefined); // 'exit' or the next send tells
    forked.once('exit', () => {
      clearTimeout(slowStart);
      this.#bury(child, isReady);
    });
  }

  #finish(child: Child, reply: ChildReply): void {
    const { task } = child;
    child.task = null;
    if (child.timer) clearTimeout(child.timer);
    if (child.files >= this.#options.filesPerProcess) {
      this.#children.delete(child);
      void this.#end(child);
      this.#dispatch();
    } else if (!child.process.killed) this.#rest(child);
    task?.resolve(reply);
  }

  /** An idle child doesn't keep our process alive. */
  #rest(child: Child): void {
    child.process.unref();
    child.process.channel?.unref();
    this.#idle.push(child);
    this.#dispatch();
  }

  #bury(child: Child, wasReady: boolean): void {
    this.#children.delete(child);
    const at = this.#idle.indexOf(child);
    if (at !== -1) this.#idle.splice(at, 1);
    if (child.timer) clearTimeout(child.timer);
    child.task?.reject(new ChildDied('The process ended.'));
    if (!wasReady) this.#failedStarts++;
    if (this.#failedStarts > 2 * this.#options.processes) {
      const broken = new Error("Decoder processes don't start.");
      for (const task of this.#queue.splice(0)) task.reject(broken);
      this.#failedStarts = 0;
    }
    this.#dispatch();
  }

  async #end({ process: child }: Child): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.ref();
    const ended = new Promise<void>((resolve) => {
      child.once('exit', () => {
        resolve();
      });
    });
    child.kill('SIGKILL'); // it holds nothing that is worth an orderly end
    await ended;
  }
}
