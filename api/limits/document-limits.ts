import {
  Kind,
  Lexer,
  parse,
  Source,
  TokenKind,
  type DocumentNode,
  type FragmentDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import { PlatformError } from '../../platform/errors.ts';

/** What one GraphQL request may look like, before anything of it runs. */
export interface DocumentLimits {
  /** Words and signs of the document. The page's largest query has some 300; what lies above is generated. */
  readonly tokens: number;
  /** Brackets inside brackets, of any kind. graphql-js parses by recursion, and some thousand overflow the stack. */
  readonly nesting: number;
  /** Fields inside fields, leaves included, fragments expanded. The deepest sensible path of the schema has 8. */
  readonly depth: number;
  /** The same beneath `__schema` and `__type`. graphql-js's own introspection query has 15. */
  readonly introspectionDepth: number;
  /**
   * Fields in all, fragments expanded. Validation compares those of one place with each other. graphql-js's introspection
   * query has 140, the largest sensible one some 100.
   */
  readonly fields: number;
  /** Renamed fields, fragments expanded: the way to ask for the same thing many times. */
  readonly aliases: number;
  /** Fields of `Query`, `Mutation` or `Subscription`; each may be a search. */
  readonly rootFields: number;
  /** Fragments expanded. `@skip` and `@include` are all there is to use. */
  readonly directives: number;
  /** Objects and lists inside each other in the variables. A filter of eight levels has 17. */
  readonly variableDepth: number;
  /** Values in all variables together; `deleteImages` takes 1,000 ids. */
  readonly variableValues: number;
}

export const DOCUMENT_LIMITS: DocumentLimits = {
  tokens: 5_000,
  nesting: 50,
  depth: 12,
  introspectionDepth: 15,
  fields: 1_000,
  aliases: 30,
  rootFields: 20,
  directives: 50,
  variableDepth: 32,
  variableValues: 10_000,
};

/**
 * Parses a document of a request. Throws COST_EXCEEDED for one that is too long or too nested, before the parser sees
 * it, and graphql-js's own error for a mistake in its syntax.
 */
export function parseLimited(text: string, limits: DocumentLimits = DOCUMENT_LIMITS): DocumentNode {
  const source = new Source(text);
  checkTokens(source, limits);
  return parse(source, { maxTokens: limits.tokens });
}

const OPENING: ReadonlySet<string> = new Set([
  TokenKind.BRACE_L,
  TokenKind.BRACKET_L,
  TokenKind.PAREN_L,
]);
const CLOSING: ReadonlySet<string> = new Set([
  TokenKind.BRACE_R,
  TokenKind.BRACKET_R,
  TokenKind.PAREN_R,
]);

function checkTokens(source: Source, limits: DocumentLimits): void {
  const lexer = new Lexer(source);
  let [tokens, nesting] = [0, 0];
  for (let kind = lexer.advance().kind; kind !== TokenKind.EOF; kind = lexer.advance().kind) {
    tokens++;
    if (OPENING.has(kind)) nesting++;
    if (CLOSING.has(kind)) nesting--;
    if (tokens > limits.tokens) refuse('tokens', 'more', limits.tokens);
    if (nesting > limits.nesting) refuse('nested brackets', 'more', limits.nesting);
  }
}

/**
 * Refuses a document that is out of proportion, with COST_EXCEEDED. Every fragment is looked at once, however often it
 * is used, and nothing recurses, so that a hostile document costs no more than its length.
 */
export function checkDocument(
  document: DocumentNode,
  limits: DocumentLimits = DOCUMENT_LIMITS,
): void {
  const fragments = measureFragments(document, limits);
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OPERATION_DEFINITION) continue;
    const measure = add(outline(definition.selectionSet, limits), fragments);
    const directives = measure.directives + (definition.directives?.length ?? 0);
    compare({ ...measure, directives }, limits);
  }
}

function compare(measure: Measure, limits: DocumentLimits): void {
  const { depth, introspectionDepth, fields, aliases, rootFields, directives, nesting } = measure;
  if (depth > limits.depth) refuse('levels of fields', depth, limits.depth);
  if (introspectionDepth > limits.introspectionDepth) {
    refuse('levels of introspection', introspectionDepth, limits.introspectionDepth);
  }
  if (fields > limits.fields) refuse('fields', fields, limits.fields);
  if (aliases > limits.aliases) refuse('aliases', aliases, limits.aliases);
  if (rootFields > limits.rootFields) refuse('root fields', rootFields, limits.rootFields);
  if (directives > limits.directives) refuse('directives', directives, limits.directives);
  if (nesting > limits.nesting) refuse('nested selections', nesting, limits.nesting);
}

/** Refuses variables that are out of proportion. Files and other class instances count as one value. */
export function checkVariables(
  variables: Readonly<Record<string, unknown>>,
  limits: DocumentLimits = DOCUMENT_LIMITS,
): void {
  const open: { readonly value: unknown; readonly depth: number }[] = [
    { value: variables, depth: 0 },
  ];
  let values = 0;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, depth } = next;
    if (depth > limits.variableDepth) refuse('levels of variables', depth, limits.variableDepth);
    for (const inner of valuesIn(value)) {
      values++;
      if (values > limits.variableValues) {
        refuse('values in its variables', 'more', limits.variableValues);
      }
      open.push({ value: inner, depth: depth + 1 });
    }
  }
}

function valuesIn(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value as readonly unknown[];
  if (typeof value !== 'object' || value === null) return [];
  const prototype: unknown = Object.getPrototypeOf(value);
  // By its depth, because JSON from another realm (a test's, a worker's) has another Object.prototype.
  const isPlain = prototype === null || Object.getPrototypeOf(prototype) === null;
  return isPlain ? Object.values(value) : [];
}

function refuse(what: string, count: number | 'more', limit: number): never {
  const found = typeof count === 'number' && count < 1e6 ? ` and this has ${count}` : '';
  throw new PlatformError(
    'COST_EXCEEDED',
    `A request may have up to ${limit} ${what}${found}. Ask for less, or in several requests.`,
  );
}

/** How large a selection is, fragments expanded. */
interface Measure {
  readonly depth: number;
  readonly introspectionDepth: number;
  readonly fields: number;
  readonly aliases: number;
  readonly directives: number;
  /** Fields on its first level. */
  readonly rootFields: number;
  /** Selections inside selections, fragments among them: what code that recurses would see. */
  readonly nesting: number;
}

/** A selection by itself, with the fragments it uses still to be added. */
interface Outline extends Measure {
  readonly spreads: readonly Spread[];
}

interface Spread {
  readonly name: string;
  /** Levels of fields around it. */
  readonly depth: number;
  readonly nesting: number;
  readonly isIntrospection: boolean;
}

const NOTHING: Measure = {
  depth: 0,
  introspectionDepth: 0,
  fields: 0,
  aliases: 0,
  directives: 0,
  rootFields: 0,
  nesting: 0,
};

interface Place {
  readonly depth: number;
  readonly nesting: number;
  /** Levels since `__schema` or `__type`; null outside. */
  readonly introspection: number | null;
}

/** Walks one selection set with a stack of its own. */
function outline(selectionSet: SelectionSetNode, limits: DocumentLimits): Outline {
  const sum = { ...NOTHING };
  const spreads: Spread[] = [];
  const open: (Place & { readonly selections: readonly SelectionNode[] })[] = [
    { depth: 0, nesting: 1, introspection: null, selections: selectionSet.selections },
  ];
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    sum.nesting = Math.max(sum.nesting, place.nesting);
    if (sum.nesting > limits.nesting) refuse('nested selections', sum.nesting, limits.nesting);
    for (const selection of place.selections) {
      sum.directives += selection.directives?.length ?? 0;
      if (selection.kind === Kind.FRAGMENT_SPREAD) {
        spreads.push(spreadAt(selection.name.value, place));
        continue;
      }
      const inner = selection.kind === Kind.FIELD ? inField(selection.name.value, place) : place;
      if (selection.kind === Kind.FIELD) {
        sum.fields++;
        if (selection.alias !== undefined) sum.aliases++;
        if (place.depth === 0 && place.introspection === null) sum.rootFields++;
        sum.depth = Math.max(sum.depth, inner.depth);
        sum.introspectionDepth = Math.max(sum.introspectionDepth, inner.introspection ?? 0);
      }
      const selections = selection.selectionSet?.selections;
      if (selections !== undefined) open.push({ ...inner, nesting: place.nesting + 1, selections });
    }
  }
  return { ...sum, spreads };
}

function spreadAt(name: string, { depth, nesting, introspection }: Place): Spread {
  const isIntrospection = introspection !== null;
  return { name, depth: introspection ?? depth, nesting, isIntrospection };
}

function inField(name: string, place: Place): Place {
  const { depth, introspection } = place;
  if (introspection !== null) return { ...place, introspection: introspection + 1 };
  if (name === '__schema' || name === '__type') return { ...place, introspection: 1 };
  return { ...place, depth: depth + 1 };
}

/** Adds the fragments of an outline, all of which have been measured. Unknown ones count nothing: they can't run. */
function add({ spreads, ...own }: Outline, fragments: ReadonlyMap<string, Measure>): Measure {
  return spreads.reduce<Measure>((sum, spread) => {
    const inner = fragments.get(spread.name) ?? NOTHING;
    const deepest = Math.max(inner.depth, inner.introspectionDepth);
    const { isIntrospection, depth, nesting } = spread;
    return {
      depth: isIntrospection ? sum.depth : Math.max(sum.depth, depth + inner.depth),
      introspectionDepth: Math.max(
        sum.introspectionDepth,
        isIntrospection ? depth + deepest : inner.introspectionDepth,
      ),
      fields: sum.fields + inner.fields,
      aliases: sum.aliases + inner.aliases,
      directives: sum.directives + inner.directives,
      rootFields: sum.rootFields + (depth === 0 ? inner.rootFields : 0),
      nesting: Math.max(sum.nesting, nesting + inner.nesting),
    };
  }, own);
}

/** Measures each fragment once, those it uses before itself. */
function measureFragments(
  document: DocumentNode,
  limits: DocumentLimits,
): ReadonlyMap<string, Measure> {
  const outlines = new Map<string, Outline>();
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.FRAGMENT_DEFINITION) continue;
    outlines.set(definition.name.value, outlineOf(definition, limits));
  }
  const measures = new Map<string, Measure>();
  for (const name of innermostFirst(outlines)) {
    const own = outlines.get(name);
    if (own !== undefined) measures.set(name, add(own, measures));
  }
  return measures;
}

function outlineOf(fragment: FragmentDefinitionNode, limits: DocumentLimits): Outline {
  const own = outline(fragment.selectionSet, limits);
  return { ...own, directives: own.directives + (fragment.directives?.length ?? 0) };
}

/** The fragments in an order in which each comes after those it uses. One that uses itself is refused. */
function innermostFirst(outlines: ReadonlyMap<string, Outline>): readonly string[] {
  const state = new Map<string, 'open' | 'done'>();
  const order: string[] = [];
  const stack = [...outlines.keys()];
  for (let name = stack.at(-1); name !== undefined; name = stack.at(-1)) {
    if (state.get(name) === undefined) {
      state.set(name, 'open');
      for (const inner of new Set(outlines.get(name)?.spreads.map((spread) => spread.name))) {
        if (state.get(inner) === 'open') refuseCycle(inner);
        if (state.get(inner) === undefined && outlines.has(inner)) stack.push(inner);
      }
      continue;
    }
    stack.pop();
    if (state.get(name) === 'open') order.push(name);
    state.set(name, 'done');
  }
  return order;
}

function refuseCycle(name: string): never {
  throw new PlatformError(
    'BAD_USER_INPUT',
    `The fragment ${name} uses itself. Spell out as many levels as you need.`,
  );
}
