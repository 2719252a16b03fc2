/** The few columns with the highest scores, best first; of equal ones the earlier. For up to some hundred. */
export class Best {
  /** A score has to be above it to get in; -Infinity while there is room. */
  least = -Infinity;
  size = 0;
  readonly #scores: Float64Array;
  readonly #columns: Int32Array;

  constructor(capacity: number) {
    this.#scores = new Float64Array(capacity);
    this.#columns = new Int32Array(capacity);
  }

  clear(): void {
    this.size = 0;
    this.least = -Infinity;
  }

  columnAt(place: number): number {
    return this.#columns[place] ?? 0;
  }

  add(column: number, score: number): void {
    const [scores, columns] = [this.#scores, this.#columns];
    if (this.size < scores.length) this.size++;
    let place = this.size - 1;
    while (place > 0 && (scores[place - 1] ?? 0) < score) {
      scores[place] = scores[place - 1] ?? 0;
      columns[place] = columns[place - 1] ?? 0;
      place--;
    }
    scores[place] = score;
    columns[place] = column;
    if (this.size === scores.length) this.least = scores[this.size - 1] ?? 0;
  }
}
