/** Wakes whoever waits for work. A ring that came while somebody was still looking isn't lost: compare `rings`. */
export class Alarm {
  #rings = 0;
  readonly #sleepers = new Set<() => void>();

  get rings(): number {
    return this.#rings;
  }

  ring(): void {
    this.#rings++;
    for (const wake of [...this.#sleepers]) wake();
  }

  /** Resolves when it rang since `seen`, after `timeoutMs`, or when the signal fires. */
  async wait(seen: number, timeoutMs: number, signal?: AbortSignal): Promise<void> {
    if (seen !== this.#rings || signal?.aborted === true) return;
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#sleepers.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, timeoutMs);
      this.#sleepers.add(wake);
    });
  }
}
