import { describe, expect, test } from '@jest/globals';
import {
  checkDescription,
  checkLabels,
  checkVocabularyName,
  type WrittenLabel,
} from '../../../indexer/tagging/vocabulary-input.ts';
import { messageOf } from '../../../platform/errors.ts';
import { withCode } from '../../support/errors.ts';
import { refusal } from '../../support/refusal.ts';

function label(name: string, overrides: Partial<WrittenLabel> = {}): WrittenLabel {
  return {
    ...{ name, prompts: [], negativePrompts: [], examples: [], threshold: null, parents: [] },
    ...overrides,
  };
}

const many = (count: number): WrittenLabel[] =>
  Array.from({ length: count }, (_, i) => label(`label ${i}`));

/** Of labels that are refused. */
function messageFor(labels: readonly WrittenLabel[]): string {
  const error = refusal(() => checkLabels(labels));
  expect(error).toMatchObject(withCode('BAD_USER_INPUT'));
  return messageOf(error);
}

describe('labels', () => {
  test('get their names and texts in one form', () => {
    const [one, two] = checkLabels([
      label('  Cafe\u0301 \n  au lait '),
      label('🐕‍🦺 كلب', { prompts: [' a\tdog '], parents: ['CAFÉ au  lait', 'café au lait'] }),
    ]);

    expect(one?.name).toBe('Café au lait');
    expect(two).toMatchObject({ name: '🐕‍🦺 كلب', prompts: ['a dog'], parents: ['Café au lait'] });
  });

  test('of 20,000 are taken quickly, also in a deep hierarchy', () => {
    const startedAt = performance.now();
    const labels = many(20_000).map((one, i) =>
      i % 100 === 0 ? one : { ...one, parents: [`label ${i - 1}`] },
    );

    expect(checkLabels(labels)).toHaveLength(20_000);
    expect(performance.now() - startedAt).toBeLessThan(5000);
  });

  test.each<[string, WrittenLabel[], RegExp]>([
    ['none at all', [], /1 to 20,000 labels, not 0/],
    ['50,000', many(50_000), /1 to 20,000 labels, not 50,000/],
    ['an empty name', [label('a'), label(' \u200B')], /Label 2 .*has no name/],
    ['a long name', [label('a'.repeat(10_000))], /Label 1 \("a{60}…"\) has a name of 10000/],
    ['a NUL', [label('a\0b')], /U\+0000/],
    ['a control character', [label('a', { prompts: ['b\u001B'] })], /Label 1 \("a"\).*U\+001B/],
    ['half an emoji', [label('a\uD83D')], /U\+D83D/],
    ['two of a name', [label('a'), label('Dog'), label(' dog')], /Labels 2 .* and 3 .*same name/],
    ['many prompts', [label('a', { prompts: Array<string>(51).fill('b') })], /51 prompts/],
    [
      'an empty prompt',
      [label('a', { prompts: ['b', ' '] })],
      /Label 1 \("a"\), prompt 2, is empty/,
    ],
    ['a long one', [label('a', { negativePrompts: ['b'.repeat(501)] })], /negative prompt 1.*501/],
    ['101 examples', [label('a', { examples: Array<string>(101).fill('b') })], /101 examples/],
    ['a threshold', [label('a', { threshold: 1.01 })], /Label 1 \("a"\).*threshold 1.01.*0 to 1/],
    ['one of NaN', [label('a', { threshold: Number.NaN })], /threshold NaN/],
    [
      'an unknown parent',
      [label('a', { parents: ['b'] })],
      /Label 1 \("a"\).*"b", which is no label/,
    ],
    ['itself as parent', [label('a', { parents: ['A'] })], /Label 1 \("a"\) is its own parent/],
  ])('with %s are refused', (_name, labels, message) => {
    expect(messageFor(labels)).toMatch(message);
  });

  test('in a circle are refused, with the way round', () => {
    const labels = [
      label('start', { parents: ['a'] }),
      label('a', { parents: ['b'] }),
      label('b', { parents: ['c'] }),
      label('c', { parents: ['a'] }),
    ];

    expect(messageFor(labels)).toContain(
      '"a" has the parent "b" has the parent "c" has the parent "a"',
    );
  });

  test('with more than a hundred above one are refused, whatever the order', () => {
    const chain = many(102).map((one, i) =>
      i === 0 ? one : { ...one, parents: [`label ${i - 1}`] },
    );

    expect(messageFor(chain)).toMatch(/more than 100 labels above/);
    expect(messageFor([...chain].reverse())).toMatch(/more than 100 labels above/);
    expect(checkLabels(chain.slice(0, 101))).toHaveLength(101);
  });
});

describe('a vocabulary', () => {
  test.each(['', ' a', 'a/b', '-a', 'a'.repeat(101), 'a\0'])('named %j is refused', (name) => {
    expect(refusal(() => checkVocabularyName(name))).toMatchObject(withCode('BAD_USER_INPUT'));
  });

  test('named as the open one is refused', () => {
    expect(refusal(() => checkVocabularyName('Keywords'))).toMatchObject(withCode('CONFLICT'));
    expect(checkVocabularyName('imagenet-1k')).toBe('imagenet-1k');
  });

  test('with a long description is refused', () => {
    expect(refusal(() => checkDescription('a'.repeat(2001)))).toMatchObject(
      withCode('BAD_USER_INPUT'),
    );
    expect(checkDescription('Zwei\nZeilen')).toBe('Zwei\nZeilen');
  });
});
