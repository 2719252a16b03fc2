import { expect, test } from '@jest/globals';
import {
  changesOf,
  draftFaults,
  hasChanges,
  labelInput,
  newLabel,
  parseDraft,
  rebase,
  removeLabel,
  replaceLabel,
  type Draft,
} from '../../web/src/vocabularies/vocabulary-draft.ts';

const EXPORT = JSON.stringify({
  name: 'animals',
  description: 'What lives',
  labels: [
    { name: 'animal' },
    { name: 'dog', prompts: ['a photo of a dog'], threshold: 0.4, parents: ['animal'] },
  ],
});

test('what was exported is sent back unchanged', () => {
  const draft = parseDraft(EXPORT);

  expect(hasChanges(changesOf(parseDraft(EXPORT), draft))).toBe(false);
  expect(draft.labels.map(labelInput)).toEqual([
    input({ name: 'animal' }),
    input({ name: 'dog', prompts: ['a photo of a dog'], threshold: 0.4, parents: ['animal'] }),
  ]);
});

test('a label that is renamed keeps those below it', () => {
  const draft = parseDraft(EXPORT);

  const renamed = replaceLabel(draft, { ...labelOf(draft, 'animal'), name: 'creature' });

  expect(labelOf(renamed, 'dog').parents).toEqual(['creature']);
  expect(draftFaults(renamed)).toEqual([]);
});

test('a label that goes is nobody’s parent any more', () => {
  const draft = parseDraft(EXPORT);

  const rest = removeLabel(draft, labelOf(draft, 'animal'));

  expect(rest.labels.map(({ name, parents }) => [name, parents])).toEqual([['dog', []]]);
});

test('changes are told apart by name', () => {
  const base = parseDraft(EXPORT);
  const dog = { ...labelOf(base, 'dog'), threshold: 0.7 };
  const draft = { description: 'Other', labels: [dog, newLabel('cat')] };

  const { added, changed, removed, isDescribedAnew } = changesOf(base, draft);

  expect([added, changed, removed].map((labels) => labels.map(({ name }) => name))).toEqual([
    ['cat'],
    ['dog'],
    ['animal'],
  ]);
  expect(isDescribedAnew).toBe(true);
});

test('my changes go on top of what somebody else saved, and theirs stay', () => {
  const base = parseDraft(EXPORT);
  const mine = { ...base, labels: [{ ...labelOf(base, 'dog'), threshold: 0.7 }, newLabel('cat')] };
  const theirs = parseDraft(EXPORT);
  const newest = {
    description: 'Theirs',
    labels: [...theirs.labels, { ...newLabel('bird'), parents: ['animal'] }],
  };

  const both = rebase(base, mine, newest);

  expect(both.description).toBe('Theirs');
  // I removed animal, so their bird is below nothing.
  expect(both.labels.map(({ name, threshold }) => [name, threshold])).toEqual([
    ['dog', 0.7],
    ['bird', null],
    ['cat', null],
  ]);
  expect(labelOf(both, 'bird').parents).toEqual([]);
});

test('what the API would refuse is said before', () => {
  expect(draftFaults({ description: '', labels: [] })).toEqual([
    'A vocabulary has at least one label.',
  ]);
  const labels = [newLabel('dog'), newLabel(' dog'), newLabel(' ')];
  expect(draftFaults({ description: '', labels })).toEqual([
    'A label has no name.',
    'There are two labels “dog”.',
  ]);
});

function labelOf({ labels }: Draft, name: string): Draft['labels'][number] {
  const label = labels.find((it) => it.name === name);
  if (label === undefined) throw new Error(`There is no label ${name}.`);
  return label;
}

function input(label: object): object {
  return {
    ...{ prompts: [], negativePrompts: [], examples: [], threshold: null, parents: [] },
    ...label,
  };
}
