import { describe, expect, test } from '@jest/globals';
import { getIntrospectionQuery, Kind, parse, type DocumentNode, type FieldNode } from 'graphql';
import {
  checkDocument,
  checkVariables,
  DOCUMENT_LIMITS,
  parseLimited,
} from '../../../api/limits/document-limits.ts';
import { Random } from '../../../platform/random.ts';
import { withCode } from '../../support/errors.ts';
import { refusal } from '../../support/refusal.ts';

const TOO_MUCH = withCode('COST_EXCEEDED');

describe('parsing', () => {
  test('a document of ordinary size is parsed', () => {
    const document = parseLimited('{ collections { edges { node { name } } } }');

    expect(document.definitions).toHaveLength(1);
  });

  test('a document of too many tokens is refused, whatever its length', () => {
    expect(refusal(() => parseLimited(`{ ${'a '.repeat(5_000)} }`))).toMatchObject(TOO_MUCH);
    expect(refusal(() => parseLimited('a '.repeat(5_000_000)))).toMatchObject(TOO_MUCH);
  });

  test.each([
    ['braces', '{a', '}'],
    ['lists', '[', ']'],
    ['objects', '{a:', '}'],
  ])('100,000 nested %s are refused without overflowing the stack', (_what, open, close) => {
    const text = `{ a(b: ${open.repeat(100_000)}1${close.repeat(100_000)}) }`;

    expect(refusal(() => parseLimited(text))).toMatchObject(TOO_MUCH);
  });

  test('braces that never close are refused the same', () => {
    expect(refusal(() => parseLimited('{a'.repeat(100_000)))).toMatchObject(TOO_MUCH);
  });

  test('a mistake in the syntax is told as one', () => {
    expect(refusal(() => parseLimited('{ a'))).toMatchObject({ name: 'GraphQLError' });
  });

  test('a long string is one token', () => {
    expect(parseLimited(`{ a(b: "${'x'.repeat(100_000)}") }`).kind).toBe('Document');
  });
});

describe('depth', () => {
  test('twelve levels are allowed and thirteen are not', () => {
    expect(refusal(check(parse(nested(12))))).toBeNull();
    expect(refusal(check(parse(nested(13))))).toMatchObject(TOO_MUCH);
  });

  test('fragments are expanded, wherever levels hide', () => {
    const document = parse(`
      { a { b { c { d { ...E } } } } }
      fragment E on T { e { ... { f { g { h { ...I } } } } } }
      fragment I on T { i { j { k { l { m } } } } }`);

    expect(refusal(check(document))).toMatchObject(TOO_MUCH);
  });

  test('a document deeper than any parser gives is refused without recursion', () => {
    expect(refusal(check(builtDeep(100_000)))).toMatchObject(TOO_MUCH);
  });

  test('introspection has its own depth, and its usual query passes', () => {
    expect(refusal(check(parseLimited(getIntrospectionQuery())))).toBeNull();
    const types = `{ __schema { types { ${'ofType { '.repeat(20)} name ${'} '.repeat(20)} } } }`;
    expect(refusal(check(parse(types)))).toMatchObject(TOO_MUCH);
  });
});

describe('fragments', () => {
  test('a fragment that uses itself is refused, directly or around others', () => {
    for (const cycle of [
      '{ ...A } fragment A on T { b { ...A } }',
      '{ ...A } fragment A on T { ...B } fragment B on T { c { ...C } } fragment C on T { ...A }',
      '{ a } fragment A on T { ...A }',
    ]) {
      expect(refusal(check(parse(cycle)))).toMatchObject(withCode('BAD_USER_INPUT'));
    }
  });

  test('fragments that double thirty times are counted without being expanded', () => {
    expect(refusal(check(parse(bomb(30))))).toMatchObject(TOO_MUCH);
  });

  test('a chain of fragments as long as a document may be is refused, not followed', () => {
    const chain = Array.from({ length: 600 }, (_, i) => `fragment F${i} on T { ...F${i + 1} }`);
    const document = parseLimited(`{ ...F0 } ${chain.join(' ')} fragment F600 on T { a }`);

    expect(refusal(check(document))).toMatchObject(TOO_MUCH);
  });

  test('an unknown fragment is left to validation', () => {
    expect(refusal(check(parse('{ ...Nowhere }')))).toBeNull();
  });
});

describe('counts', () => {
  test('aliases are counted through fragments', () => {
    const used = Array.from({ length: 4 }, (_, i) => `f${i} { ...A }`).join(' ');
    const aliases = (count: number) =>
      Array.from({ length: count }, (_, i) => `x${i}: a`).join(' ');
    const document = (count: number) => parse(`{ ${used} } fragment A on T { ${aliases(count)} }`);

    expect(refusal(check(document(7)))).toBeNull();
    expect(refusal(check(document(8)))).toMatchObject(TOO_MUCH);
  });

  test('root fields are counted through fragments', () => {
    const fields = Array.from({ length: 21 }, (_, i) => `f${i}`).join(' ');

    expect(
      refusal(check(parse(`{ ... { ...A } } fragment A on Query { ${fields} }`))),
    ).toMatchObject(TOO_MUCH);
  });

  test('fields are counted through fragments', () => {
    const document = (count: number) =>
      parse(`{ a { ...A } b { ...A } } fragment A on T { ${'x '.repeat(count)} }`);

    expect(refusal(check(document(499)))).toBeNull();
    expect(refusal(check(document(500)))).toMatchObject(TOO_MUCH);
  });

  test('directives are counted, also where they repeat', () => {
    const text = `{ a ${'@include(if: true) '.repeat(51)} }`;

    expect(refusal(check(parse(text)))).toMatchObject(TOO_MUCH);
  });

  test('every operation of a document is held to the limits', () => {
    const document = parse(`query A { a } query B ${nested(13)}`);

    expect(refusal(check(document))).toMatchObject(TOO_MUCH);
  });
});

test('the measured depth is what expanding a document gives', () => {
  const random = new Random('document-depth', 1);
  for (let round = 0; round < 200; round++) {
    const { text, depth } = randomDocument(random);
    const act = () => {
      checkDocument(parse(text), { ...DOCUMENT_LIMITS, rootFields: 1e9, depth: 4 });
    };

    expect({ text, isRefused: refusal(act) !== null }).toEqual({ text, isRefused: depth > 4 });
  }
});

describe('variables', () => {
  test('values may lie as deep as a sensible filter', () => {
    let filter: unknown = { path: { contains: 'x' } };
    for (let level = 0; level < 8; level++) filter = { and: [filter] };

    expect(() => {
      checkVariables({ filter });
    }).not.toThrow();
  });

  test('100,000 levels are refused without overflowing the stack', () => {
    let value: unknown = 1;
    for (let level = 0; level < 100_000; level++) value = level % 2 === 0 ? [value] : { a: value };

    expect(
      refusal(() => {
        checkVariables({ value });
      }),
    ).toMatchObject(TOO_MUCH);
  });

  test('a million values are refused', () => {
    const ids = Array.from({ length: 1_000_000 }, () => 'x');

    expect(
      refusal(() => {
        checkVariables({ ids });
      }),
    ).toMatchObject(TOO_MUCH);
  });

  test('a file counts as one value, whatever hangs on it', () => {
    class Upload {
      readonly everything = globalThis;
    }

    expect(() => {
      checkVariables({ files: [new Upload()] });
    }).not.toThrow();
  });
});

function check(document: DocumentNode): () => void {
  return () => {
    checkDocument(document);
  };
}

function nested(levels: number): string {
  return levels === 1 ? '{ a }' : `{ a ${nested(levels - 1)} }`;
}

function bomb(doublings: number): string {
  const fragments = Array.from(
    { length: doublings },
    (_, i) => `fragment F${i} on T { x: a { ...F${i + 1} } y { ...F${i + 1} } }`,
  );
  return `{ ...F0 } ${fragments.join(' ')} fragment F${doublings} on T { a }`;
}

function builtDeep(levels: number): DocumentNode {
  let field: FieldNode = leaf();
  for (let level = 0; level < levels; level++) {
    field = { ...leaf(), selectionSet: { kind: Kind.SELECTION_SET, selections: [field] } };
  }
  const document = parse('{ a }');
  const definitions = document.definitions.map((definition) => ({
    ...definition,
    selectionSet: { kind: Kind.SELECTION_SET, selections: [field] },
  }));
  return { ...document, definitions } as DocumentNode;
}

function leaf(): FieldNode {
  return { kind: Kind.FIELD, name: { kind: Kind.NAME, value: 'a' } };
}

/** A document with fragments that use later ones only, and its depth by plain expansion. */
function randomDocument(random: Random): { text: string; depth: number } {
  const depths: number[] = [];
  const texts: string[] = [];
  for (let name = 0; name < 4; name++) {
    const { text, depth } = randomSelection(random, depths, 2);
    texts.push(`fragment F${name} on T ${text}`);
    depths.push(depth);
  }
  const { text, depth } = randomSelection(random, depths, 3);
  return { text: `${text} ${texts.join(' ')}`, depth };
}

function randomSelection(
  random: Random,
  fragments: readonly number[],
  levels: number,
): { text: string; depth: number } {
  const parts = Array.from({ length: 1 + random.below(2) }, () => {
    const choice = random.below(4);
    if (choice === 0 && fragments.length > 0) {
      const name = random.below(fragments.length);
      return { text: `...F${name}`, depth: fragments[name] ?? 0 };
    }
    if (levels === 0 || choice === 1) return { text: 'a', depth: 1 };
    const inner = randomSelection(random, fragments, levels - 1);
    return choice === 2
      ? { text: `... ${inner.text}`, depth: inner.depth }
      : { text: `a ${inner.text}`, depth: 1 + inner.depth };
  });
  return {
    text: `{ ${parts.map((part) => part.text).join(' ')} }`,
    depth: Math.max(...parts.map((part) => part.depth)),
  };
}
