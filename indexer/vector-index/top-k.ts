/** Keeps the k rows of the highest score it was offered: a heap whose root is the worst kept. */
export class TopK {
  readonly #k: number;
  readonly #rows: number[] = [];
  readonly #scores: number[] = [];

  constructor(k: number) {
    this.#k = k;
  }

  offer(row: number, score: number): void {
    if (this.#rows.length < this.#k) {
      this.#rows.push(row);
      this.#scores.push(score);
      this.#up(this.#rows.length - 1);
    } else if (score > (this.#scores[0] ?? -Infinity)) {
      this.#rows[0] = row;
      this.#scores[0] = score;
      this.#down();
    }
  }

  /** In no order. */
  get rows(): readonly number[] {
    return this.#rows;
  }

  #up(from: number): void {
    for (let child = from; child > 0;) {
      const parent = (child - 1) >> 1;
      if (this.#scoreAt(parent) <= this.#scoreAt(child)) return;
      this.#swap(parent, child);
      child = parent;
    }
  }

  #down(): void {
    for (let parent = 0; ;) {
      const left = 2 * parent + 1;
      const child = this.#scoreAt(left + 1) < this.#scoreAt(left) ? left + 1 : left;
      if (this.#scoreAt(child) >= this.#scoreAt(parent)) return;
      this.#swap(parent, child);
      parent = child;
    }
  }

  #scoreAt(at: number): number {
    return this.#scores[at] ?? Infinity;
  }

  #swap(a: number, b: number): void {
    const [row, score] = [this.#rows[a] ?? 0, this.#scoreAt(a)];
    this.#rows[a] = this.#rows[b] ?? 0;
    this.#scores[a] = this.#scoreAt(b);
    this.#rows[b] = row;
    this.#scores[b] = score;
  }
}
