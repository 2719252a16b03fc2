import type { TagVerdictInput } from '../generated/operations.ts';
import type { ClientError } from '../graphql/client.ts';
import { toClientError } from '../graphql/to-client-error.ts';

/** So long verdicts are gathered, in milliseconds. */
const GATHER_MS = 800;
/** So many are sent at once at most; so many don't wait for more. */
const MAX_BATCH = 50;
const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 15_000;

/**
 * Verdicts on their way to the API: small batches, one after the other and in their order, as a later verdict on the same tag takes the
 * place of an earlier one. What fails for a while is tried again, by itself and ever more seldom; what is refused stays, with its reason,
 * until somebody flushes.
 */
export class VerdictOutbox {
  readonly #send: (verdicts: readonly TagVerdictInput[]) => Promise<void>;
  readonly #onChange: (unsent: number, error: ClientError | null) => void;
  #waiting: readonly TagVerdictInput[] = [];
  #timer: ReturnType<typeof setTimeout> | null = null;
  #isSending = false;
  #retries = 0;
  #error: ClientError | null = null;

  constructor(
    send: (verdicts: readonly TagVerdictInput[]) => Promise<void>,
    onChange: (unsent: number, error: ClientError | null) => void,
  ) {
    this.#send = send;
    this.#onChange = onChange;
  }

  add(verdict: TagVerdictInput): void {
    this.#waiting = [...this.#waiting, verdict];
    this.#tell();
    if (this.#error === null) this.#schedule(this.#waiting.length < MAX_BATCH ? GATHER_MS : 0);
  }

  /** Sends now what there is. */
  flush(): void {
    this.#retries = 0;
    this.#schedule(0);
  }

  #schedule(ms: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = null;
      void this.#sendNext();
    }, ms);
  }

  async #sendNext(): Promise<void> {
    if (this.#isSending || this.#waiting.length === 0) return;
    const batch = this.#waiting.slice(0, MAX_BATCH);
    this.#isSending = true;
    try {
      await this.#send(lastOfEach(batch));
      this.#waiting = this.#waiting.slice(batch.length);
      this.#retries = 0;
      this.#error = null;
      if (this.#waiting.length > 0) this.#schedule(0);
    } catch (error) {
      this.#error = toClientError(error);
      if (this.#error.isTemporary) this.#schedule(this.#pauseMs(this.#error));
    } finally {
      this.#isSending = false;
      this.#tell();
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
  const byTag = new Map(
    verdicts.map((it) => [JSON.stringify([it.imageId, it.vocabulary, it.label]), it]),
  );
  return [...byTag.values()];
}
