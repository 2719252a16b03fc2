import { describe, expect, test } from '@jest/globals';
import { getIntrospectionQuery, isInterfaceType, isObjectType, parse, validate } from 'graphql';
import { PRICES } from '../../../api/limits/prices.ts';
import { estimateCost } from '../../../api/limits/query-cost.ts';
import { Random } from '../../../platform/random.ts';
import { withCode } from '../../support/errors.ts';
import { refusal } from '../../support/refusal.ts';
import { publicSchema } from '../../support/schema.ts';

const schema = publicSchema();

function cost(
  text: string,
  variables: Readonly<Record<string, unknown>> = {},
  operationName?: string,
): number {
  const document = parse(text);
  expect(validate(schema, document)).toEqual([]);
  return estimateCost({ schema, document, variables, operationName });
}

const SEARCH = (terms: string) =>
  `{ search(input: { collection: "a", ${terms} }, first: 1) { path } }`;

describe('prices', () => {
  test.each([...PRICES.keys()])('%s is a field of the schema', (coordinate) => {
    const [typeName = '', fieldName = ''] = coordinate.split('.');
    const type = schema.getType(typeName);

    expect(isObjectType(type) || isInterfaceType(type)).toBe(true);
    expect(isObjectType(type) ? type.getFields() : {}).toHaveProperty(fieldName);
  });

  test('every mutation has a price of its own', () => {
    const fields = Object.keys(schema.getMutationType()?.getFields() ?? {});

    expect(fields.filter((name) => !PRICES.has(`Mutation.${name}`))).toEqual([]);
  });

  test('each text, photo and label costs a pass of the model', () => {
    const none = cost(SEARCH('terms: []'));

    expect(cost(SEARCH('text: "cat"'))).toBe(none + 60);
    expect(cost(SEARCH('terms: [{ text: { text: "a" } }, { text: { text: "b" } }]'))).toBe(
      none + 120,
    );
    expect(cost(SEARCH('terms: { text: { text: "a" } }'))).toBe(none + 60);
    expect(cost(SEARCH('exact: true'))).toBeGreaterThan(none + 100);
    const classify = (labels: string) =>
      cost(`{ classifyImage(input: { imageId: "1", labels: [${labels}] }) { score } }`);
    expect(classify('"a", "b", "c"') - classify('"a"')).toBeGreaterThanOrEqual(120);
  });

  test('a photo in a variable costs what one in the text would', () => {
    const text = `query ($terms: [SearchTerm!]) {
      search(input: { collection: "a", terms: $terms }) { path } }`;
    const term = { upload: { upload: 'a file' } };

    expect(cost(text, { terms: [term, term] }) - cost(text, { terms: [term] })).toBe(400);
  });

  test('introspection costs the same whatever it asks', () => {
    expect(cost(getIntrospectionQuery())).toBe(cost('{ __schema { types { name } } }'));
  });
});

describe('pages', () => {
  const edges = (first: string) =>
    `{ images(collection: "a"${first}) { edges { node { sha256 } } } }`;
  const paged = (declaration: string) =>
    `query (${declaration}) { images(collection: "a", first: $first) { edges { node { url } } } }`;

  test('`first` multiplies edges, by whatever way it is given', () => {
    const of50 = cost(edges(', first: 50'));

    expect(of50).toBeGreaterThan(2 * cost(edges(', first: 20')) - 10);
    expect(cost(paged('$first: Int'), { first: 50 })).toBe(cost(paged('$first: Int = 50')));
    expect(cost(paged('$first: Int = 7'), { first: 50 })).toBe(cost(paged('$first: Int = 50')));
  });

  test("without it, or with null, it is the schema's 20", () => {
    expect(cost(edges(''))).toBe(cost(edges(', first: 20')));
    expect(cost(edges(', first: null'))).toBe(cost(edges(', first: 20')));
    expect(cost(paged('$first: Int'))).toBe(cost(paged('$first: Int'), { first: 20 }));
    expect(cost(paged('$first: Int'), { first: null })).toBe(
      cost(paged('$first: Int'), { first: 20 }),
    );
  });

  test('a page of less than nothing costs as much as one of one', () => {
    expect(cost(edges(', first: -1000000'))).toBe(cost(edges(', first: 1')));
  });

  test('what lies beside the edges is not multiplied', () => {
    const counted = (first: number) =>
      cost(`{ images(collection: "a", first: ${first}) { totalCount } }`);

    expect(counted(100)).toBe(counted(1));
    expect(counted(1)).toBeGreaterThanOrEqual(50);
  });

  test('connections in connections multiply', () => {
    const jobs = (outer: number, inner: number) =>
      cost(
        `{ jobs(first: ${outer}) { edges { node { failures(first: ${inner}) { edges { node { path } } } } } } }`,
      );

    expect(jobs(100, 100)).toBeGreaterThan(80 * jobs(1, 100));
  });

  test('edges count their page through aliases and fragments', () => {
    const plain = cost(edges(', first: 100'));

    expect(
      cost(`{ images(collection: "a", first: 100) { ...Page } }
        fragment Page on ImageConnection { ... { x: edges { ... on ImageEdge { y: node { sha256 } } } } }`),
    ).toBe(plain);
  });

  test('one fragment in two connections counts the page of each', () => {
    const both =
      cost(`{ a: images(collection: "a", first: 100) { ...Page } b: images(collection: "a", first: 1) { ...Page } }
        fragment Page on ImageConnection { edges { node { sha256 } } }`);

    expect(both).toBeGreaterThanOrEqual(
      cost(edges(', first: 100')) + cost(edges(', first: 1')) - 1,
    );
    expect(both).toBeLessThan(2 * cost(edges(', first: 100')));
  });

  test('a list of ids multiplies what is asked of each', () => {
    const nodes = (count: number) =>
      cost(
        'query ($ids: [ID!]!) { nodes(ids: $ids) { id ... on Image { collection { imageCount } } } }',
        {
          ids: Array.from({ length: count }, (_, i) => String(i)),
        },
      );

    expect(nodes(100)).toBeGreaterThan(50 * 100);
    expect(nodes(1)).toBeLessThan(100);
  });

  test('ids to delete and files to store count each', () => {
    const deletion = (count: number) =>
      cost(
        'mutation ($input: DeleteImagesInput!) { deleteImages(input: $input) { deletedImageIds } }',
        {
          input: { ids: Array.from({ length: count }, (_, i) => String(i)) },
        },
      );

    expect(deletion(1_000) - deletion(1)).toBe(999);
  });
});

describe('conditions', () => {
  const BASE = '{ __typename }';
  const field = (directive: string) =>
    `search(input: { collection: "a", text: "b" }) ${directive} { path }`;

  test('what is surely left out costs nothing', () => {
    expect(cost(`{ __typename ${field('@skip(if: true)')} }`)).toBe(cost(BASE));
    expect(cost(`{ __typename ${field('@include(if: false)')} }`)).toBe(cost(BASE));
    const text = `query ($no: Boolean!) { __typename ${field('@include(if: $no)')} }`;
    expect(cost(text, { no: false })).toBe(cost(BASE));
    expect(cost(text, { no: true })).toBeGreaterThan(60);
  });

  test('both directives must let a field through', () => {
    expect(cost(`{ __typename ${field('@skip(if: false) @include(if: true)')} }`)).toBeGreaterThan(
      60,
    );
    expect(cost(`{ __typename ${field('@skip(if: true) @include(if: true)')} }`)).toBe(cost(BASE));
  });

  test('a condition nobody knows counts as fulfilled', () => {
    const text = `query ($when: Boolean!) { __typename ${field('@include(if: $when)')} }`;

    expect(cost(text, {})).toBeGreaterThan(60);
    expect(cost(text, { when: 'no' })).toBeGreaterThan(60);
  });

  test('fragments are left out by their conditions too', () => {
    expect(
      cost(`{ __typename ...A @skip(if: true) ... @include(if: false) { ...A } }
        fragment A on Query { ${field('')} }`),
    ).toBe(cost(BASE));
  });
});

describe('hostile documents', () => {
  test('fragments that double thirty times are refused without being expanded', () => {
    const fragments = Array.from(
      { length: 30 },
      (_, i) => `fragment F${i} on Query { ...F${i + 1} ... { ...F${i + 1} } }`,
    );
    const document = parse(
      `{ ...F0 } ${fragments.join(' ')} fragment F30 on Query { search(input: { collection: "a" }) { path } }`,
    );

    expect(refusal(() => estimateCost({ schema, document }))).toMatchObject(
      withCode('COST_EXCEEDED'),
    );
  });

  test('fragments in a circle are refused', () => {
    const document = parse('{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }');

    expect(refusal(() => estimateCost({ schema, document }))).toMatchObject(
      withCode('BAD_USER_INPUT'),
    );
  });

  test('huge pages in huge pages give a number', () => {
    const page = 'first: 2147483647';

    const all = cost(
      `{ jobs(${page}) { edges { node { failures(${page}) { edges { node { path } } } } } } }`,
    );

    expect(all).toBeGreaterThan(1e18);
    expect(Number.isNaN(all)).toBe(false);
  });

  test('names from the prototype are fields of nothing', () => {
    const document = parse('{ constructor { __proto__ { toString } } hasOwnProperty }');

    expect(estimateCost({ schema, document })).toBeGreaterThanOrEqual(1);
  });

  test('an operation that is not there is refused', () => {
    const document = parse('query A { __typename } query B { __typename }');

    expect(refusal(() => estimateCost({ schema, document }))).toMatchObject(
      withCode('BAD_USER_INPUT'),
    );
  });
});

test('only the named operation is counted', () => {
  const text = `query A { __typename } query B ${SEARCH('text: "a"')}`;

  expect(cost(text, {}, 'A')).toBe(1);
  expect(cost(text, {}, 'B')).toBeGreaterThan(60);
});

test('adding to a query never makes it cheaper', () => {
  const random = new Random('query-cost', 1);
  const parts = [
    'pageInfo { hasNextPage }',
    'totalCount',
    'edges { node { url } }',
    'edges { node { collection { imageCount generation { visionSpace { name } } } } }',
    '... on ImageConnection { edges { cursor node { thumbnailUrl(size: LARGE) } } }',
  ];
  for (let round = 0; round < 100; round++) {
    const first = 1 + random.below(100);
    const chosen = Array.from({ length: 1 + random.below(4) }, () => random.pick(parts));
    const of = (page: number, selection: readonly string[]) =>
      cost(`{ images(collection: "a", first: ${page}) { ${selection.join(' ')} } }`);

    const before = of(first, chosen);

    expect(of(first + 1, chosen)).toBeGreaterThanOrEqual(before);
    expect(of(first, [...chosen, random.pick(parts)])).toBeGreaterThanOrEqual(before);
  }
});
