import cliProgress from 'cli-progress';

export interface ProgressOptions {
  readonly isTerminal: boolean;
  readonly err: (text: string) => void;
}

/** A plain line at most this often. */
const PLAIN_INTERVAL_MS = 5000;

interface Phase {
  readonly name: string;
  readonly startedAt: number;
  /** What was done before this run (a resumed one starts in the middle). */
  readonly before: number;
}

/** Progress on stderr: a bar with rate and time left on a terminal, plain lines now and then otherwise. */
export class Progress {
  readonly #options: ProgressOptions;
  readonly #bar: cliProgress.SingleBar;
  #phase: Phase | null = null;
  #isDrawn = false;
  #lastLineAt = 0;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#bar = new cliProgress.SingleBar({
      format: '{name} [{bar}] {value}/{total} {status}',
      hideCursor: true,
      barsize: 28,
    });
  }

  update(name: string, done: number, total: number, note = ''): void {
    const now = Date.now();
    if (this.#phase?.name !== name) {
      this.#clear();
      this.#phase = { name, startedAt: now, before: done };
      this.#lastLineAt = now;
    }
    const { rate, left } = speed(this.#phase, done, total, now);
    const status = [rate, left, note].filter((part) => part !== '');
    if (this.#options.isTerminal) {
      const payload = { name, status: status.join(', ') };
      if (!this.#isDrawn) this.#bar.start(total, done, payload);
      this.#isDrawn = true;
      this.#bar.update(done, payload);
    } else if (done === total || now - this.#lastLineAt >= PLAIN_INTERVAL_MS) {
      this.#lastLineAt = now;
      this.#options.err(`${[`${name}: ${done} of ${total}`, ...status].join(', ')}\n`);
    }
    if (done === total) this.stop();
  }

  /** A line of its own, above the bar. */
  line(text: string): void {
    this.#clear();
    this.#options.err(`${text}\n`);
  }

  /** Leaves the terminal as it was; call in `finally`. */
  stop(): void {
    this.#clear();
    this.#phase = null;
  }

  #clear(): void {
    if (this.#isDrawn) this.#bar.stop();
    this.#isDrawn = false;
  }
}

function speed(
  { startedAt, before }: Phase,
  done: number,
  total: number,
  now: number,
): { rate: string; left: string } {
  const seconds = (now - startedAt) / 1000;
  if (done === before || seconds <= 0) return { rate: '', left: '' };
  const perSecond = (done - before) / seconds;
  const left = Math.round((total - done) / perSecond);
  const clock = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}`;
  return { rate: `${perSecond.toFixed(1)}/s`, left: left > 0 ? `${clock} left` : '' };
}
