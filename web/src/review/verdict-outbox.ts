import type { TagVerdictInput } from '../generated/operations.ts';
import type { ClientError } from '../graphql/client.ts';
import { toClientError } from '../graphql/to-client-error.ts';

/** So long verdicts are gathered, in milliseconds. */
const GATHER_MS = 800;
/** So many are sent at once at most; so many don't wait for more. */
const MAX_BATCH = 50;
const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 15_000;

/** Sends verdicts; gives those that undo them, also what they took along. */
export type SendVerdicts = (
  verdicts: readonly TagVerdictInput[],
) => Promise<readonly TagVerdictInput[]>;

interface Entry {
  readonly verdict: TagVerdictInput;
  /** Whether it is to be taken back. */
  readonly isUndo: boolean;
}

/**
 * Verdicts on their way to the API: small batches, one after the other and in their order, as a later verdict on the same tag takes the
 * place of an earlier one. What fails for a while is tried again, by itself and ever more seldom; what is refused stays, with its reason,
 * until somebody flushes.
 */
export class VerdictOutbox {
  readonly #send: SendVerdicts;
  readonly #onChange: (unsent: number, error: ClientError | null) => void;
  /** What undoes the last verdict that was sent on a tag. */
  readonly #undo = new Map<string, readonly TagVerdictInput[]>();
  #waiting: readonly Entry[] = [];
  /** How many of those that wait are on their way. */
  #sending = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #retries = 0;
  #error: ClientError | null = null;

  constructor(send: SendVerdicts, onChange: (unsent: number, error: ClientError | null) => void) {
    this.#send = send;
    this.#onChange = onChange;
  }

  add(verdict: TagVerdictInput): void {
    this.#put({ verdict, isUndo: false });
  }

  /** Takes back a verdict that was added. One that wasn't sent yet never is. */
  undo(verdict: TagVerdictInput): void {
    const key = keyOf(verdict);
    const rest = this.#waiting.slice(this.#sending).filter((it) => keyOf(it.verdict) !== key);
    const isUnsent = rest.length < this.#waiting.length - this.#sending;
    this.#waiting = [...this.#waiting.slice(0, this.#sending), ...rest];
    const isUnderWay = this.#waiting.some((it) => keyOf(it.verdict) === key);
    if (this.#undo.has(key) || isUnderWay || !isUnsent) this.#put({ verdict, isUndo: true });
    else this.#tell();
  }

  /** Sends now what there is. */
  flush(): void {
    this.#retries = 0;
    this.#schedule(0);
  }

  #put(entry: Entry): void {
    this.#waiting = [...this.#waiting, entry];
    this.#tell();
    if (this.#error === null) this.#schedule(this.#waiting.length < MAX_BATCH ? GATHER_MS : 0);
  }

  #schedule(ms: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = null;
      void this.#sendNext();
    }, ms);
  }

  async #sendNext(): Promise<void> {
    if (this.#sending > 0 || this.#waiting.length === 0) return;
    const batch = this.#waiting.slice(0, MAX_BATCH);
    this.#sending = batch.length;
    try {
      const undo = await this.#send(lastOfEach(batch.flatMap((entry) => this.#verdictsOf(entry))));
      this.#note(batch, undo);
      this.#waiting = this.#waiting.slice(batch.length);
      this.#retries = 0;
      this.#error = null;
      if (this.#waiting.length > 0) this.#schedule(0);
    } catch (error) {
      this.#error = toClientError(error);
      if (this.#error.isTemporary) this.#schedule(this.#pauseMs(this.#error));
    } finally {
      this.#sending = 0;
      this.#tell();
    }
  }

  #verdictsOf({ verdict, isUndo }: Entry): readonly TagVerdictInput[] {
    if (!isUndo) return [verdict];
    return this.#undo.get(keyOf(verdict)) ?? [{ ...verdict, verdict: 'CLEAR', isSampled: false }];
  }

  /** What a verdict took along is undone with it; where several of an image did, with each of them. */
  #note(batch: readonly Entry[], undo: readonly TagVerdictInput[]): void {
    const own = new Set(batch.map(({ verdict }) => keyOf(verdict)));
    for (const { verdict, isUndo } of batch) {
      const key = keyOf(verdict);
      const parts = undo.filter(
        (it) => keyOf(it) === key || (it.imageId === verdict.imageId && !own.has(keyOf(it))),
      );
      if (isUndo || parts.length === 0) this.#undo.delete(key);
      else if (!this.#undo.has(key)) this.#undo.set(key, parts);
    }
  }

  #pauseMs({ retryAfterSeconds }: ClientError): number {
    const own = FIRST_RETRY_MS * 2 ** this.#retries++;
    return Math.max(Math.min(own, LONGEST_RETRY_MS), (retryAfterSeconds ?? 0) * 1000);
  }

  #tell(): void {
    this.#onChange(this.#waiting.length, this.#error);
  }
}

/** One verdict a tag: the last one. */
function lastOfEach(verdicts: readonly TagVerdictInput[]): readonly TagVerdictInput[] {
  return [...new Map(verdicts.map((it) => [keyOf(it), it])).values()];
}

function keyOf({ imageId, vocabulary, label }: TagVerdictInput): string {
  return JSON.stringify([imageId, vocabulary, label]);
}
