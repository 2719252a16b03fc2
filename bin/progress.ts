import cliProgress from 'cli-progress';

export interface ProgressOptions {
  readonly isTerminal: boolean;
  readonly err: (text: string) => void;
}

/** A plain line at most this often. */
const PLAIN_INTERVAL_MS = 5000;

/** Progress on stderr: a bar with rate and time left on a terminal, plain lines now and then otherwise. */
export class Progress {
  readonly #options: ProgressOptions;
  readonly #bar: cliProgress.SingleBar | null;
  #phase: string | null = null;
  #lastLineAt = 0;
  #startedAt = 0;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#bar = options.isTerminal
      ? new cliProgress.SingleBar({
          format: '{phase} [{bar}] {value}/{total} {rate}/s, {eta_formatted} left {note}',
          hideCursor: true,
          barsize: 28,
        })
      : null;
  }

  update(phase: string, done: number, total: number, note = ''): void {
    const now = Date.now();
    if (phase !== this.#phase) this.#begin(phase, total, now);
    const seconds = Math.max((now - this.#startedAt) / 1000, 0.001);
    const rate = (done / seconds).toFixed(1);
    this.#bar?.update(done, { phase, rate, note });
    const isDue = done === total || now - this.#lastLineAt >= PLAIN_INTERVAL_MS;
    if (this.#bar === null && isDue) {
      this.#lastLineAt = now;
      this.#options.err(`${phase}: ${done} of ${total}, ${rate}/s${note && `, ${note}`}\n`);
    }
    if (done === total) this.#end();
  }

  /** A line of its own, above the bar. */
  line(text: string): void {
    this.#end();
    this.#options.err(`${text}\n`);
  }

  /** Leaves the terminal as it was; call in `finally`. */
  stop(): void {
    this.#end();
  }

  #begin(phase: string, total: number, now: number): void {
    this.#end();
    this.#phase = phase;
    this.#startedAt = this.#lastLineAt = now;
    this.#bar?.start(total, 0, { phase, rate: '–', note: '' });
  }

  #end(): void {
    if (this.#phase !== null) this.#bar?.stop();
    this.#phase = null;
  }
}
