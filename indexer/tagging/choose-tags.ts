import type { ImageId } from '../../store/ids.ts';
import { evidenceFrom, type ChoiceOptions, type LabelRule } from './label-rules.ts';
import { evidenceOf, probabilityOf } from './calibration.ts';
import { Best } from './best.ts';
import { PairHash } from './pair-hash.ts';
import type { ScoreBlock } from './score-images.ts';
import { STRATA, stratumOf } from './strata.ts';
import { TagRows } from './tag-rows.ts';

/** Sees each image after its labels were chosen: what shows samples of a preview. */
export interface ChoiceVisitor {
  /** `at`: where the image's scores begin; `given[column]` is 1 where it got the label. */
  visit(image: SeenImage): void;
}

export interface SeenImage {
  readonly id: ImageId;
  readonly scores: Float32Array;
  readonly at: number;
  /** Its score with the background. */
  readonly background: number;
  readonly given: Uint8Array;
}

/**
 * Which labels images get. Of an image: the best `minTagsPerImage` by score in any case, and further ones that are probable enough, by
 * score, up to `maxTagsPerImage`; then the labels above those. Counts what it sees, and draws samples of what it doesn't give.
 *
 * Pure, and quick: one pass over the scores, two comparisons a pair, nothing sorted, no object a pair. A million pairs take some 10 ms.
 */
export class TagChooser {
  /** Images looked at. */
  images = 0;
  /** Images with at least one tag. */
  tagged = 0;
  /** Tags, implied ones included. */
  tags = 0;
  /** Tags by label. */
  readonly counts: Int32Array;
  /** Images by label and stratum of probability, with the label or without: [labels, strata]. */
  readonly strata: Int32Array;
  readonly chosen = new TagRows();
  readonly samples = new TagRows();
  readonly #rules: readonly LabelRule[];
  readonly #options: ChoiceOptions;
  readonly #visitor: ChoiceVisitor | null;
  /** Evidence from which on a label is given. */
  readonly #cuts: Float64Array;
  /** Evidence at which the strata begin: [labels, strata]; the first is never asked. */
  readonly #edges: Float64Array;
  readonly #hash: PairHash;
  readonly #given: Uint8Array;
  /** The best by score: probable enough ones, and any. */
  readonly #probable: Best;
  readonly #any: Best;
  /** Places in `strata` of pairs that are samples unless the label is given. */
  readonly #drawn: number[] = [];
  readonly #columnsGiven: number[] = [];
  readonly #implied = new Map<number, number>();

  constructor(
    rules: readonly LabelRule[],
    options: ChoiceOptions,
    { seed, visitor = null }: { readonly seed: string; readonly visitor?: ChoiceVisitor | null },
  ) {
    this.#rules = rules;
    this.#options = options;
    this.#visitor = visitor;
    this.counts = new Int32Array(rules.length);
    this.strata = new Int32Array(rules.length * STRATA.length);
    this.#cuts = Float64Array.from(rules, (rule) => evidenceFrom(rule.threshold, rule.calibration));
    this.#edges = Float64Array.from(
      rules.flatMap(({ calibration }) => STRATA.map((edge) => evidenceFrom(edge, calibration))),
    );
    this.#hash = new PairHash(seed, rules);
    this.#given = new Uint8Array(rules.length);
    this.#probable = new Best(options.maxTagsPerImage);
    this.#any = new Best(options.minTagsPerImage);
  }

  add({ ids, scores, columns }: ScoreBlock): void {
    ids.forEach((id, row) => {
      const at = row * columns;
      const background = scores[at + columns - 1] ?? 0;
      this.#look(id, scores, at, background);
      const image = { id, scores, at, background, given: this.#given };
      this.#give(image);
      this.#keepSamples(image);
      this.#visitor?.visit(image);
      for (const column of this.#columnsGiven) this.#given[column] = 0;
    });
  }

  /** One pass over an image's scores. */
  #look(id: ImageId, scores: Float32Array, at: number, background: number): void {
    const [cuts, edges, strata, hash] = [this.#cuts, this.#edges, this.strata, this.#hash];
    const [probable, any, drawn] = [this.#probable, this.#any, this.#drawn];
    const [levels, labels] = [STRATA.length, cuts.length];
    const wantsAny = this.#options.minTagsPerImage > 0;
    probable.clear();
    any.clear();
    drawn.length = 0;
    hash.take(id);
    for (let column = 0; column < labels; column++) {
      const score = scores[at + column] ?? 0;
      const evidence = evidenceOf(score, background);
      let place = column * levels;
      const end = place + levels - 1;
      while (place < end && evidence >= (edges[place + 1] ?? 0)) place++;
      strata[place] = (strata[place] ?? 0) + 1;
      if (evidence >= (cuts[column] ?? 0) && score > probable.least) probable.add(column, score);
      if (wantsAny && score > any.least) any.add(column, score);
      if (hash.isDrawn(column, place)) drawn.push(place);
    }
  }

  #give(image: SeenImage): void {
    const given = this.#columnsGiven;
    given.length = 0;
    this.images++;
    // Both lists are by falling score, and what is in both is given once.
    for (let i = 0; i < this.#any.size; i++) this.#giveOwn(image, this.#any.columnAt(i));
    const most = this.#options.maxTagsPerImage;
    for (let i = 0; i < this.#probable.size && given.length < most; i++) {
      this.#giveOwn(image, this.#probable.columnAt(i));
    }
    if (given.length === 0) return;
    this.tagged++;
    this.#giveAncestors(image);
  }

  #giveOwn(image: SeenImage, column: number): void {
    if (this.#given[column] === 1) return;
    this.#push(image, column, this.#probabilityOf(image, column), 0);
  }

  /** At least as probable as what implies them; counted in the stratum of that. */
  #giveAncestors(image: SeenImage): void {
    const implied = this.#implied;
    implied.clear();
    for (const column of this.#columnsGiven) {
      const ancestors = this.#rules[column]?.ancestors ?? [];
      if (ancestors.length === 0) continue;
      const probability = this.#probabilityOf(image, column);
      for (const one of ancestors) {
        if (this.#given[one] === 1) continue;
        implied.set(one, Math.max(probability, implied.get(one) ?? 0));
      }
    }
    for (const [column, least] of implied) {
      const own = this.#probabilityOf(image, column);
      this.#push(image, column, Math.max(least, own), 1);
      if (least > own) {
        this.#count(column, stratumOf(own), -1);
        this.#count(column, stratumOf(least), 1);
      }
    }
  }

  #count(column: number, stratum: number, change: 1 | -1): void {
    const place = column * STRATA.length + stratum;
    this.strata[place] = (this.strata[place] ?? 0) + change;
  }

  /** What was drawn and not given. */
  #keepSamples(image: SeenImage): void {
    for (const place of this.#drawn) {
      const column = Math.floor(place / STRATA.length);
      if (this.#given[column] === 1) continue;
      const score = image.scores[image.at + column] ?? 0;
      const probability = this.#probabilityOf(image, column);
      const mark = place % STRATA.length;
      this.samples.add({ id: image.id, column, score, probability, mark });
    }
  }

  #push({ id, scores, at }: SeenImage, column: number, probability: number, implied: 0 | 1): void {
    this.#given[column] = 1;
    this.#columnsGiven.push(column);
    this.tags++;
    this.counts[column] = (this.counts[column] ?? 0) + 1;
    const score = scores[at + column] ?? 0;
    this.chosen.add({ id, column, score, probability, mark: implied });
  }

  #probabilityOf({ scores, at, background }: SeenImage, column: number): number {
    const rule = this.#rules[column];
    const evidence = evidenceOf(scores[at + column] ?? 0, background);
    return rule === undefined ? 0 : probabilityOf(evidence, rule.calibration);
  }
}
