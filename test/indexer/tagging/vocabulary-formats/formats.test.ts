import { describe, expect, test } from '@jest/globals';
import {
  FORMATS,
  type VocabularyFormat,
} from '../../../../indexer/tagging/vocabulary-formats/formats.ts';
import { checkLabels, type WrittenLabel } from '../../../../indexer/tagging/vocabulary-input.ts';
import { messageOf } from '../../../../platform/errors.ts';
import { Random } from '../../../../platform/random.ts';
import { withCode } from '../../../support/errors.ts';
import { refusal } from '../../../support/refusal.ts';

const ALL: readonly VocabularyFormat[] = ['CSV', 'JSON', 'SKOS'];

const PIECES = [
  ...[
    'a',
    'Dog',
    ' ',
    '"',
    '""',
    ',',
    ';',
    '|',
    '\\',
    '\\|',
    '\\\\',
    '\n',
    '\r\n',
    '\r',
    '\t',
    "'",
  ],
  ...['🐕‍🦺', 'é', 'e\u0301', 'كلب', '\u200F', '#', '=1+1', '-', '@', '{}', '[', ']', '<b>', 'null'],
  ...['skos:broader', '@id', 'name', '0', '_:1'],
];

function vocabularyOf(seed: number) {
  const random = new Random('vocabulary', seed);
  const text = (): string =>
    Array.from({ length: 1 + random.below(8) }, () => random.pick(PIECES)).join('');
  const list = <T>(most: number, one: () => T): T[] =>
    Array.from({ length: random.below(most + 1) }, one);
  const names = [...new Set(Array.from({ length: 1 + random.below(20) }, text))];
  const labels = names.map((name, i): WrittenLabel => ({
    name,
    prompts: list(3, text),
    negativePrompts: list(3, text),
    examples: list(2, () => `SW1hZ2U6${random.below(1000)}`),
    threshold: random.below(2) === 0 ? null : random.uniform(),
    parents: [...new Set(list(2, () => names[random.below(i)]))].flatMap((parent) =>
      parent === undefined || i === 0 ? [] : [parent],
    ),
  }));
  return { name: 'some', description: text(), labels };
}

describe.each(ALL)('as %s', (format) => {
  const { read, write } = FORMATS[format];

  test('three hundred random vocabularies come back as they were', () => {
    for (let seed = 0; seed < 300; seed++) {
      const vocabulary = vocabularyOf(seed);
      const expected = format === 'CSV' ? { name: null, description: null } : {};

      expect(read(write(vocabulary))).toEqual({ ...vocabulary, ...expected });
      expect(read(`\uFEFF${write(vocabulary)}`)).toEqual({ ...vocabulary, ...expected });
    }
  });

  const hostile = ['', ' ', '\0', 'a,b\n"c', ...(format === 'CSV' ? [] : ['{', '[1]', '<html>'])];

  test.each(hostile)('%j is refused', (content) => {
    const error = refusal(() => checkLabels(read(content).labels));

    expect(error).toMatchObject(withCode('BAD_USER_INPUT'));
  });
});

describe('CSV', () => {
  const namesIn = (content: string): readonly string[] =>
    checkLabels(FORMATS.CSV.read(content).labels).map(({ name }) => name);

  test.each([
    ['without a header', 'apple\nred pear\n\n"a ""plum"", or two"\n'],
    ['with one', 'name\napple\nred pear\n"a ""plum"", or two"'],
    [
      'with a byte order mark and CRLF',
      '\uFEFFname\r\napple\r\nred pear\r\n"a ""plum"", or two"\r\n',
    ],
  ])('takes a plain list of names %s', (_name, content) => {
    expect(namesIn(content)).toEqual(['apple', 'red pear', 'a "plum", or two']);
  });

  test('takes columns in any order, and those of a spreadsheet that writes semicolons', () => {
    const { labels } = FORMATS.CSV.read('name;Parents;threshold\nfruit;;\napple;fruit|food;0.5\n');

    expect(labels[1]).toMatchObject({ name: 'apple', parents: ['fruit', 'food'], threshold: 0.5 });
    expect(FORMATS.CSV.read('prompts,name\na|b,c').labels[0]).toMatchObject({
      prompts: ['a', 'b'],
    });
  });

  test.each([
    ['no header', 'apple,red\npear,green', /first line must be the header name,prompts/],
    ['an unknown column', 'name,colour\na,b', /no column "colour": there are name,/],
    ['a column twice', 'name,name\na,b', /twice/],
    ['too many values', 'name\na\n\nb,c', /Line 4 has 2 values/],
    ['a threshold of words', 'name,threshold\na,0.5\nb,half', /Line 3 has the threshold "half"/],
    ['an open quote', 'name\n"a', /no CSV: .*[Qq]uote/],
  ])('with %s is refused, and says where', (_name, content, message) => {
    expect(messageOf(refusal(() => namesIn(content)))).toMatch(message);
  });
});

describe('JSON', () => {
  test('takes names alone, and a list alone', () => {
    const { labels } = FORMATS.JSON.read('["cat", {"name": "dog", "parents": ["cat"]}]');

    expect(labels.map(({ name, parents }) => [name, parents])).toEqual([
      ['cat', []],
      ['dog', ['cat']],
    ]);
  });

  test('says where something is wrong', () => {
    const read = (content: string) => messageOf(refusal(() => FORMATS.JSON.read(content)));

    expect(read('{"labels": [{"name": "a"}, {"name": 1}]}')).toContain('labels.1.name');
    expect(read('{"labels": [{"name": "a", "prompt": "b"}]}')).toContain('prompt');
  });
});

describe('SKOS', () => {
  const read = (document: unknown) => FORMATS.SKOS.read(JSON.stringify(document)).labels;
  const full = 'http://www.w3.org/2004/02/skos/core#';

  test('takes broader and narrower, with and without prefix, in lists and graphs', () => {
    const graph = [
      { '@id': 'ex:fruit', '@type': 'skos:Concept', 'skos:prefLabel': 'fruit' },
      {
        ...{ id: 'ex:apple', type: ['Concept'], prefLabel: { de: 'Apfel', en: 'apple' } },
        ...{ altLabel: { de: ['Äpfel'], en: 'apples' }, broader: 'ex:fruit' },
      },
      {
        ...{ '@id': 'ex:food', '@type': [`${full}Concept`] },
        [`${full}prefLabel`]: [
          ...[
            { '@value': 'Essen', '@language': 'de' },
            { '@value': 'food', '@language': 'en-GB' },
          ],
        ],
        [`${full}narrower`]: [{ '@id': 'ex:fruit' }],
      },
    ];

    expect(read({ '@graph': graph })).toEqual(read(graph));
    expect(read(graph).map(({ name, parents }) => [name, parents])).toEqual([
      ['fruit', ['food']],
      ['apple', ['fruit']],
      ['food', []],
    ]);
    expect(read(graph)[1]?.prompts).toEqual(['apples']);
  });

  test.each<[string, object, RegExp]>([
    ['no concept', { '@type': 'skos:ConceptScheme' }, /no skos:Concept/],
    ['no label', { '@id': 'ex:a', '@type': 'skos:Concept' }, /"ex:a" has no skos:prefLabel/],
    [
      'an unknown parent',
      { '@type': 'skos:Concept', prefLabel: 'a', broader: { '@id': 'ex:b' } },
      /"a" names "ex:b" as broader/,
    ],
    [
      'an unknown child',
      { '@type': 'skos:Concept', prefLabel: 'a', narrower: 'ex:b' },
      /"a" names "ex:b" as narrower/,
    ],
    ['a parent of no kind', { '@type': 'skos:Concept', prefLabel: 'a', broader: 7 }, /names no/],
  ])('with %s is refused, and says where', (_name, document, message) => {
    expect(messageOf(refusal(() => read([document])))).toMatch(message);
  });
});
