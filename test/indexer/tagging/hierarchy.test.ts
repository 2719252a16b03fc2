import { expect, test } from '@jest/globals';
import { ancestorsOf } from '../../../indexer/tagging/hierarchy.ts';
import { asLabelId } from '../../../store/ids.ts';

const [animal, pet, dog, poodle, stone] = [1, 2, 3, 4, 5].map(asLabelId);

function labels(...pairs: readonly (readonly (number | undefined)[])[]) {
  return pairs.map(([id = 0, ...parents]) => ({
    id: asLabelId(id),
    parentIds: parents.map((parent = 0) => asLabelId(parent)),
  }));
}

const TREE = labels([animal], [pet], [dog, animal, pet], [poodle, dog], [stone]);

test('what is above a label comes nearest first, each once', () => {
  expect(ancestorsOf(TREE)).toEqual(
    new Map([
      [dog, [animal, pet]],
      [poodle, [dog, animal, pet]],
    ]),
  );
});

test('a circle in the rows ends', () => {
  const circle = labels([1, 2], [2, 1]);

  expect(ancestorsOf(circle).get(asLabelId(1))).toEqual([2]);
});
