import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../../..');
const RESTART_AFTER_MS = 200;
const PATIENCE_MS = 60_000;

/** What to start for the nth time. */
export interface Life {
  /** `worker-1.3` */
  readonly name: string;
  readonly script: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export interface SupervisedOptions {
  readonly name: string;
  readonly live: (name: string) => Life;
  /** What it writes goes there. */
  readonly logFile: string;
  /** Called when it ended although it was up, and nobody killed or stopped it. */
  readonly onFault: (fault: string) => void;
}

/** A process that is started again whenever it is gone, in a process group of its own. */
export class SupervisedProcess {
  readonly #options: SupervisedOptions;
  #lives = 1;
  #child: ChildProcess | null = null;
  #isKilled = false;
  /** Until then it may end: Postgres isn't there when it starts. */
  #wasUp = false;
  #isStopping = false;
  #restart: NodeJS.Timeout | null = null;

  constructor(options: SupervisedOptions) {
    this.#options = options;
    this.#start();
  }

  /** Of the process that runs now, or is about to. */
  get lifeName(): string {
    return `${this.#options.name}.${this.#lives}`;
  }

  noteUp(): void {
    this.#wasUp = true;
  }

  /** Resolves when it is gone; the next one is started a moment later. Gives the name of the life that ended. */
  async kill(): Promise<string> {
    const { lifeName } = this;
    this.#isKilled = true;
    await this.#end('SIGKILL', PATIENCE_MS);
    return lifeName;
  }

  /** Asks it to end, for good. Gives what was wrong with how it did. */
  async stop(): Promise<string | null> {
    this.#isStopping = true;
    if (this.#restart) clearTimeout(this.#restart);
    const code = await this.#end('SIGTERM', PATIENCE_MS);
    if (code === 0) return null;
    return `${this.lifeName} ended with ${code ?? 'a signal'} when it was asked to stop: ${this.#lastWords()}`;
  }

  /** Ends it and whatever it started, at once and for good. */
  destroy(): void {
    this.#isStopping = true;
    if (this.#restart) clearTimeout(this.#restart);
    killGroup(this.#child);
  }

  #start(): void {
    this.#isKilled = false;
    this.#wasUp = false;
    const { live, logFile } = this.#options;
    const { script, args, env } = live(this.lifeName);
    const log = openSync(logFile, 'a');
    const child = spawn(process.execPath, ['--import', 'tsx', script, ...args], {
      ...{ cwd: ROOT, env: { ...process.env, ...env } },
      ...{ detached: true, stdio: ['ignore', log, log] },
    });
    closeSync(log);
    this.#child = child;
    child.once('exit', (code, signal) => {
      const isFault = this.#wasUp && !this.#isKilled && !this.#isStopping;
      if (isFault) this.#tell(code, signal);
      if (this.#isStopping) return;
      this.#lives++;
      this.#restart = setTimeout(() => {
        this.#start();
      }, RESTART_AFTER_MS);
    });
  }

  #tell(code: number | null, signal: string | null): void {
    const { onFault } = this.#options;
    onFault(`${this.lifeName} ended by itself (${code ?? signal ?? ''}): ${this.#lastWords()}`);
  }

  #lastWords(): string {
    return readFileSync(this.#options.logFile, 'utf8').trim().split('\n').slice(-5).join('\n');
  }

  /** Gives its exit code; null: by a signal, in the end by SIGKILL. */
  async #end(signal: NodeJS.Signals, patienceMs: number): Promise<number | null> {
    const child = this.#child;
    if (child === null) return 0;
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    return new Promise((resolve) => {
      const force = setTimeout(() => {
        killGroup(child);
      }, patienceMs);
      child.once('exit', (code) => {
        clearTimeout(force);
        resolve(code);
      });
      child.kill(signal);
    });
  }
}

function killGroup(child: ChildProcess | null): void {
  if (child?.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // all of it is gone
  }
}
