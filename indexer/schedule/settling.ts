/** Quiet is waited for this many settle times, and at least so long; a folder that is never quiet is scanned then. */
const PATIENCE = 12;
const LEAST_PATIENCE_SECONDS = 60;

/** The longest that changes, or files that don't settle, wait for a scan. */
export function patienceSeconds(settleSeconds: number): number {
  return Math.max(LEAST_PATIENCE_SECONDS, PATIENCE * settleSeconds);
}

/** Changes that no scan has seen yet, and when one should: when they are over, or have gone on for too long. */
export class Settling {
  #first: Date | null = null;
  #last: Date | null = null;

  get isPending(): boolean {
    return this.#first !== null;
  }

  touch(now: Date): void {
    this.#first ??= now;
    this.#last = now;
  }

  isDue(now: Date, settleSeconds: number): boolean {
    if (this.#first === null || this.#last === null) return false;
    if (secondsBetween(this.#last, now) >= settleSeconds) return true;
    return secondsBetween(this.#first, now) >= patienceSeconds(settleSeconds);
  }

  clear(): void {
    this.#first = null;
    this.#last = null;
  }
}

export function secondsBetween(from: Date, to: Date): number {
  return (to.getTime() - from.getTime()) / 1000;
}
