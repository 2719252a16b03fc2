import type { ImageId } from '../../store/ids.ts';

export interface TagRow {
  readonly id: ImageId;
  readonly column: number;
  /** Cosine. */
  readonly score: number;
  readonly probability: number;
  /** Of a tag: 1 where it is implied. Of a sample: its stratum. */
  readonly mark: number;
}

/** Pairs of image and label, by columns: hundreds of thousands without an object each, and as Postgres takes them. */
export class TagRows {
  readonly ids: ImageId[] = [];
  readonly columns: number[] = [];
  readonly scores: number[] = [];
  readonly probabilities: number[] = [];
  readonly marks: number[] = [];

  get length(): number {
    return this.ids.length;
  }

  add({ id, column, score, probability, mark }: TagRow): void {
    this.ids.push(id);
    this.columns.push(column);
    this.scores.push(score);
    this.probabilities.push(probability);
    this.marks.push(mark);
  }

  clear(): void {
    for (const values of [this.ids, this.columns, this.scores, this.probabilities, this.marks]) {
      values.length = 0;
    }
  }
}
