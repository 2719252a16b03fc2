import { asImageId } from '../../store/ids.ts';
import { evidenceOf, probabilityOf } from './calibration.ts';
import type { ChoiceVisitor, SeenImage } from './choose-tags.ts';
import { evidenceFrom, type LabelRule } from './label-rules.ts';
import type { TagSampleRecord } from './preview.ts';

const MOST_BEST = 5;
const MOST_BORDERLINE = 6;

/** Keeps for every label the images that a preview shows: the most probable ones, and those nearest to the threshold on either side. */
export class LabelSamples implements ChoiceVisitor {
  readonly #rules: readonly LabelRule[];
  readonly #cuts: Float64Array;
  readonly #best: Tops;
  readonly #above: Tops;
  readonly #below: Tops;

  constructor(rules: readonly LabelRule[]) {
    this.#rules = rules;
    this.#cuts = Float64Array.from(rules, (rule) => evidenceFrom(rule.threshold, rule.calibration));
    this.#best = new Tops(rules.length, MOST_BEST);
    this.#above = new Tops(rules.length, MOST_BORDERLINE);
    this.#below = new Tops(rules.length, MOST_BORDERLINE);
  }

  visit(image: SeenImage): void {
    const [cuts, best, above, below] = [this.#cuts, this.#best, this.#above, this.#below];
    const { scores, at, background } = image;
    for (let column = 0; column < cuts.length; column++) {
      const evidence = evidenceOf(scores[at + column] ?? 0, background);
      if (evidence > (best.least[column] ?? 0)) best.add(column, evidence, image);
      if (evidence < (cuts[column] ?? 0)) {
        if (evidence > (below.least[column] ?? 0)) below.add(column, evidence, image);
      } else if (-evidence > (above.least[column] ?? 0)) above.add(column, -evidence, image);
    }
  }

  bestOf(column: number): readonly TagSampleRecord[] {
    return this.#records(column, this.#best.of(column));
  }

  /** As many of either side as there are, by falling probability. */
  borderlineOf(column: number): readonly TagSampleRecord[] {
    const [above, below] = [this.#above.of(column), this.#below.of(column)];
    const half = MOST_BORDERLINE / 2;
    const fromAbove = above.slice(0, Math.max(half, MOST_BORDERLINE - below.length));
    const fromBelow = below.slice(0, MOST_BORDERLINE - fromAbove.length);
    return this.#records(column, [...fromAbove.reverse(), ...fromBelow]);
  }

  #records(column: number, samples: readonly Sample[]): readonly TagSampleRecord[] {
    const rule = this.#rules[column];
    if (rule === undefined) return [];
    return samples.map(({ id, score, background, isTagged }) => ({
      ...{ imageId: asImageId(id), score, isTagged },
      probability: probabilityOf(evidenceOf(score, background), rule.calibration),
    }));
  }
}

interface Sample {
  readonly id: bigint;
  readonly score: number;
  readonly background: number;
  readonly isTagged: boolean;
}

/** For each column the few images with the highest keys, highest first; of equal ones the earlier. */
class Tops {
  /** A key has to be above it to get in. */
  readonly least: Float64Array;
  readonly #most: number;
  readonly #keys: Float64Array;
  readonly #samples: (Sample | undefined)[];
  readonly #sizes: Int32Array;

  constructor(columns: number, most: number) {
    this.#most = most;
    this.least = new Float64Array(columns).fill(-Infinity);
    this.#keys = new Float64Array(columns * most);
    this.#samples = Array.from({ length: columns * most }, () => undefined);
    this.#sizes = new Int32Array(columns);
  }

  add(column: number, key: number, { id, scores, at, background, given }: SeenImage): void {
    const [keys, samples, first] = [this.#keys, this.#samples, column * this.#most];
    const size = Math.min((this.#sizes[column] ?? 0) + 1, this.#most);
    this.#sizes[column] = size;
    let place = first + size - 1;
    for (; place > first && (keys[place - 1] ?? 0) < key; place--) {
      keys[place] = keys[place - 1] ?? 0;
      samples[place] = samples[place - 1];
    }
    keys[place] = key;
    const isTagged = given[column] === 1;
    samples[place] = { id, background, isTagged, score: scores[at + column] ?? 0 };
    if (size === this.#most) this.least[column] = keys[first + size - 1] ?? 0;
  }

  of(column: number): Sample[] {
    const first = column * this.#most;
    const size = this.#sizes[column] ?? 0;
    return this.#samples.slice(first, first + size).flatMap((sample) => sample ?? []);
  }
}
