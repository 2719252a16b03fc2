import { describe, expect, test } from '@jest/globals';
import {
  evidenceOf,
  probabilityOf,
  type Calibration,
} from '../../../indexer/tagging/calibration.ts';
import { TagChooser } from '../../../indexer/tagging/choose-tags.ts';
import type { ChoiceOptions, LabelRule } from '../../../indexer/tagging/label-rules.ts';
import { LabelSamples } from '../../../indexer/tagging/label-samples.ts';
import type { ScoreBlock } from '../../../indexer/tagging/score-images.ts';
import { STRATA, stratumOf } from '../../../indexer/tagging/strata.ts';
import { Random } from '../../../platform/random.ts';
import { asImageId, asLabelId } from '../../../store/ids.ts';

interface Given {
  readonly column: number;
  readonly probability: number;
  readonly isImplied: boolean;
}

function calibration(random: Random): Calibration {
  return {
    ...{ mean: random.uniform() * 0.1, deviation: 0.05 + random.uniform() * 0.05 },
    ...{
      slope: 0.5 + random.uniform(),
      intercept: -3 + random.uniform(),
      accepted: 0,
      rejected: 0,
    },
  };
}

/** Each label may be under earlier ones. */
function newRules(random: Random, count: number, rate = 0): readonly LabelRule[] {
  const rules: LabelRule[] = [];
  for (let column = 0; column < count; column++) {
    const parent = column > 0 && random.uniform() < 0.4 ? random.below(column) : null;
    const ancestors = parent === null ? [] : [parent, ...(rules[parent]?.ancestors ?? [])];
    rules.push({
      ...{ labelId: asLabelId(column + 1), threshold: random.pick([0.05, 0.3, 0.5, 0, 1]) },
      ...{ calibration: calibration(random), ancestors, rates: STRATA.map(() => rate) },
    });
  }
  return rules;
}

function newBlock(random: Random, images: number, labels: number): ScoreBlock {
  const columns = labels + 1;
  const scores = Float32Array.from({ length: images * columns }, () => random.normal() * 0.1);
  const ids = Array.from({ length: images }, (_, i) => asImageId(BigInt(i * 7 + 1)));
  return { ids, scores, columns };
}

/** The same by plain words: sort, filter, cut. */
function choosePlainly(
  rules: readonly LabelRule[],
  { maxTagsPerImage, minTagsPerImage }: ChoiceOptions,
  { scores, columns }: ScoreBlock,
  row: number,
): readonly Given[] {
  const scoreOf = (column: number): number => scores[row * columns + column] ?? 0;
  const chance = (column: number): number => {
    const evidence = evidenceOf(scoreOf(column), scoreOf(columns - 1));
    const rule = rules[column];
    return rule ? probabilityOf(evidence, rule.calibration) : 0;
  };
  const ranked = rules.map((_, column) => column).sort((a, b) => scoreOf(b) - scoreOf(a) || a - b);
  const sure = ranked.slice(0, minTagsPerImage);
  const probable = ranked.filter((column) => chance(column) >= (rules[column]?.threshold ?? 0));
  const own = [...new Set([...sure, ...probable])].slice(0, maxTagsPerImage);
  const implied = new Map<number, number>();
  for (const column of own) {
    for (const above of rules[column]?.ancestors ?? []) {
      if (own.includes(above)) continue;
      const least = Math.max(chance(column), chance(above), implied.get(above) ?? 0);
      implied.set(above, least);
    }
  }
  return [
    ...own.map((column) => ({ column, probability: chance(column), isImplied: false })),
    ...[...implied].map(([column, probability]) => ({ column, probability, isImplied: true })),
  ].sort((a, b) => a.column - b.column);
}

function givenTo(chooser: TagChooser, id: bigint): readonly Given[] {
  const { ids, columns, probabilities, marks } = chooser.chosen;
  return [...ids.keys()]
    .filter((i) => ids[i] === id)
    .map((i) => ({
      ...{ column: columns[i] ?? -1, probability: probabilities[i] ?? 0 },
      isImplied: marks[i] === 1,
    }))
    .sort((a, b) => a.column - b.column);
}

test.each(Array.from({ length: 40 }, (_, seed) => seed))(
  'images get what plain sorting gives them (%i)',
  (seed) => {
    const random = new Random('choose', seed);
    const [labels, images] = [1 + random.below(40), 1 + random.below(30)];
    const maxTagsPerImage = 1 + random.below(6);
    const options = {
      ...{ maxTagsPerImage, minTagsPerImage: random.below(maxTagsPerImage + 1) },
      minProbability: 0.5,
    };
    const rules = newRules(random, labels);
    const block = newBlock(random, images, labels);
    const chooser = new TagChooser(rules, options, { seed: 's' });

    chooser.add(block);

    const expected = block.ids.map((_, row) => choosePlainly(rules, options, block, row));
    block.ids.forEach((id, row) => {
      const given = givenTo(chooser, id);
      const wanted = expected[row] ?? [];
      expect(given.map(({ column, isImplied }) => [column, isImplied])).toEqual(
        wanted.map(({ column, isImplied }) => [column, isImplied]),
      );
      given.forEach(({ probability }, i) => {
        expect(probability).toBeCloseTo(wanted[i]?.probability ?? -1, 10);
      });
    });
    expect(chooser.images).toBe(images);
    expect(chooser.tagged).toBe(expected.filter(({ length }) => length > 0).length);
    expect(chooser.tags).toBe(expected.flat().length);
    expect(chooser.chosen).toHaveLength(chooser.tags);
    for (let column = 0; column < labels; column++) {
      const own = expected.flat().filter((one) => one.column === column);
      expect(chooser.counts[column]).toBe(own.length);
      const strata = chooser.strata.subarray(column * STRATA.length, (column + 1) * STRATA.length);
      expect(strata.reduce((sum, count) => sum + count, 0)).toBe(images);
      // A tag is counted in the stratum of its own probability, implied or not.
      STRATA.forEach((_, stratum) => {
        const tags = own.filter(({ probability }) => stratumOf(probability) === stratum).length;
        expect(strata[stratum]).toBeGreaterThanOrEqual(tags);
      });
    }
  },
);

describe('samples', () => {
  const options = { maxTagsPerImage: 3, minTagsPerImage: 0, minProbability: 0.5 };

  test('are of pairs without a tag, all of them at the rate 1 and none at 0', () => {
    const random = new Random('samples');
    const [labels, images] = [12, 50];
    const block = newBlock(random, images, labels);
    const all = new TagChooser(newRules(random, labels, 1), options, { seed: 's' });
    const none = new TagChooser(newRules(random, labels, 0), options, { seed: 's' });

    all.add(block);
    none.add(block);

    expect(all.samples).toHaveLength(images * labels - all.tags);
    expect(none.samples).toHaveLength(0);
  });

  test('are as many as the rate says, the same ones again, and others with another seed', () => {
    const random = new Random('rates');
    const [labels, images, rate] = [20, 2000, 0.05];
    const rules = newRules(random, labels, rate);
    const block = newBlock(random, images, labels);
    const drawn = ['a', 'a', 'b'].map((seed) => {
      const chooser = new TagChooser(rules, options, { seed });
      chooser.add(block);
      const { ids, columns } = chooser.samples;
      return ids.map((id, i) => `${id} ${columns[i] ?? -1}`);
    });

    const expected = images * labels * rate;
    expect(drawn[0]?.length).toBeGreaterThan(expected * 0.8);
    expect(drawn[0]?.length).toBeLessThan(expected * 1.2);
    expect(drawn[1]).toEqual(drawn[0]);
    const shared = new Set(drawn[0]);
    const both = (drawn[2] ?? []).filter((one) => shared.has(one)).length;
    expect(both / expected).toBeLessThan(3 * rate);
  });

  test('a preview shows the most probable, and the nearest on either side of the threshold', () => {
    const random = new Random('preview');
    const rules = newRules(random, 5).map((rule) => ({ ...rule, threshold: 0.3 }));
    const block = newBlock(random, 300, 5);
    const samples = new LabelSamples(rules);
    const chooser = new TagChooser(
      rules,
      { ...options, maxTagsPerImage: 5 },
      {
        ...{ seed: '', visitor: samples },
      },
    );
    chooser.add(block);

    rules.forEach(({ calibration: own }, column) => {
      const chances = block.ids
        .map((_, row) => {
          const at = row * block.columns;
          const evidence = evidenceOf(
            ...([block.scores[at + column] ?? 0, block.scores[at + 5] ?? 0] as const),
          );
          return probabilityOf(evidence, own);
        })
        .sort((a, b) => b - a);
      const above = chances.filter((chance) => chance >= 0.3);
      const below = chances.filter((chance) => chance < 0.3);

      expect(samples.bestOf(column).map(({ probability }) => probability)).toEqual(
        chances.slice(0, 5),
      );
      const wanted = [...above.slice(-3), ...below.slice(0, 6 - Math.min(3, above.length))];
      expect(samples.borderlineOf(column).map(({ probability }) => probability)).toEqual(wanted);
      expect(
        samples.borderlineOf(column).every((one) => one.isTagged === one.probability >= 0.3),
      ).toBe(true);
    });
  });
});
