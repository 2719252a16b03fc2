export type Close = () => void | Promise<void>;

/**
 * What has been opened and must be closed. Closes last opened first, each exactly once, even when one fails;
 * the failures are thrown together at the end.
 */
export class Closers {
  readonly #closers: Close[] = [];

  add(close: Close): void {
    this.#closers.push(close);
  }

  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (let close = this.#closers.pop(); close !== undefined; close = this.#closers.pop()) {
      try {
        await close();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'Closing failed.');
  }
}
