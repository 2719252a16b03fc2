import {
  getArgumentValues,
  getDirectiveValues,
  getNamedType,
  getNullableType,
  getOperationAST,
  getVariableValues,
  GraphQLIncludeDirective,
  GraphQLSkipDirective,
  isInterfaceType,
  isLeafType,
  isListType,
  isObjectType,
  Kind,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import { PlatformError } from '../../platform/errors.ts';
import {
  checkDocument,
  checkVariables,
  DOCUMENT_LIMITS,
  type DocumentLimits,
} from './document-limits.ts';
import {
  ASSUMED_LIST_LENGTH,
  DEFAULT_OBJECT_PRICE,
  DEFAULT_PAGE_SIZE,
  DEFAULT_SCALAR_PRICE,
  INTROSPECTION_PRICES,
  MAX_PAGE_SIZE,
  PRICES,
  type Arguments,
} from './prices.ts';

export interface CostQuestion {
  readonly schema: GraphQLSchema;
  readonly document: DocumentNode;
  readonly operationName?: string | null | undefined;
  readonly variables?: Readonly<Record<string, unknown>> | null | undefined;
  readonly limits?: DocumentLimits;
}

/**
 * What an operation costs before it runs, in units of about 0.1 ms; a whole number, at least 1. Never too little:
 * what can't be told counts in full, fields that several fragments name count for each. Throws COST_EXCEEDED for a
 * document or variables out of proportion, BAD_USER_INPUT for an operation that isn't there.
 */
export function estimateCost(question: CostQuestion): number {
  const { schema, document, operationName, variables, limits = DOCUMENT_LIMITS } = question;
  checkDocument(document, limits); // also bounds the recursion below
  checkVariables(variables ?? {}, limits);
  const operation = getOperationAST(document, operationName);
  if (!operation) {
    throw new PlatformError('BAD_USER_INPUT', 'Name one of the operations of the document.');
  }
  const root = schema.getRootType(operation.operation);
  if (root == null) return 1;
  const values = coerceVariables(schema, operation, variables ?? {});
  const cost = new CostEstimate(schema, document, values).of(operation.selectionSet, root);
  return Math.max(1, Math.ceil(cost.fixed + ASSUMED_LIST_LENGTH * cost.each));
}

/** Null: they are wrong. Then nothing runs, and what depends on them counts as if it ran. */
function coerceVariables(
  schema: GraphQLSchema,
  { variableDefinitions = [] }: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
): Arguments | null {
  return (
    getVariableValues(schema, variableDefinitions, variables, { maxErrors: 1 }).coerced ?? null
  );
}

/** Cost of a selection in a connection of n edges: fixed + n * each. Elsewhere n is 1 and `each` stays 0. */
interface Cost {
  readonly fixed: number;
  readonly each: number;
}

const FREE: Cost = { fixed: 0, each: 0 };

/** Fields of a connection that there are `first` of. */
const PAGED_FIELDS: ReadonlySet<string> = new Set(['edges', 'nodes']);

class CostEstimate {
  readonly #schema: GraphQLSchema;
  readonly #variables: Arguments | null;
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  /** Of each fragment, however often it is used. */
  readonly #known = new Map<string, Cost>();

  constructor(schema: GraphQLSchema, document: DocumentNode, variables: Arguments | null) {
    this.#schema = schema;
    this.#variables = variables;
    this.#fragments = new Map(
      document.definitions
        .filter((definition) => definition.kind === Kind.FRAGMENT_DEFINITION)
        .map((fragment) => [fragment.name.value, fragment]),
    );
  }

  of({ selections }: SelectionSetNode, parent: GraphQLNamedType): Cost {
    return selections
      .filter((selection) => this.#isSelected(selection))
      .map((selection) => this.#ofSelection(selection, parent))
      .reduce((sum, cost) => ({ fixed: sum.fixed + cost.fixed, each: sum.each + cost.each }), FREE);
  }

  #ofSelection(selection: SelectionNode, parent: GraphQLNamedType): Cost {
    switch (selection.kind) {
      case Kind.FIELD:
        return this.#ofField(selection, parent);
      case Kind.FRAGMENT_SPREAD:
        return this.#ofFragment(selection.name.value);
      case Kind.INLINE_FRAGMENT:
        return this.of(
          selection.selectionSet,
          this.#narrowed(selection.typeCondition?.name.value, parent),
        );
    }
  }

  #ofFragment(name: string): Cost {
    const known = this.#known.get(name);
    const fragment = this.#fragments.get(name);
    if (known !== undefined || fragment === undefined) return known ?? FREE;
    const type = this.#schema.getType(fragment.typeCondition.name.value);
    const cost = type === undefined ? FREE : this.of(fragment.selectionSet, type);
    this.#known.set(name, cost);
    return cost;
  }

  #narrowed(typeName: string | undefined, parent: GraphQLNamedType): GraphQLNamedType {
    return (typeName === undefined ? undefined : this.#schema.getType(typeName)) ?? parent;
  }

  #ofField(node: FieldNode, parent: GraphQLNamedType): Cost {
    const name = node.name.value;
    const introspection = INTROSPECTION_PRICES.get(name);
    if (introspection !== undefined) return { fixed: introspection, each: 0 };
    const field = hasFields(parent) ? parent.getFields()[name] : undefined;
    if (field === undefined) return FREE; // validation refuses it
    const total = this.#priceOf(node, field, parent);
    return isPagedField(field, parent) ? { fixed: 0, each: total } : { fixed: total, each: 0 };
  }

  #priceOf(node: FieldNode, field: Field, parent: GraphQLNamedType): number {
    const type = getNamedType(field.type);
    const args = this.#argumentsOf(node, field);
    const price = PRICES.get(`${parent.name}.${field.name}`);
    const own = amount(price?.own, args) ?? defaultPrice(type);
    const beneath = node.selectionSet === undefined ? FREE : this.of(node.selectionSet, type);
    const once = beneath.fixed + pageSize(field, args) * beneath.each;
    if (!isListType(getNullableType(field.type)) || isPagedField(field, parent)) return own + once;
    const length = amount(price?.times, args) ?? ASSUMED_LIST_LENGTH;
    return own + length * (once + defaultPrice(type));
  }

  /** Where a value can't be told, as if the argument were absent, apart from `first`, which is the largest there is. */
  #argumentsOf(node: FieldNode, field: Field): Arguments {
    try {
      return getArgumentValues(field, node, this.#variables);
    } catch {
      return { first: MAX_PAGE_SIZE };
    }
  }

  #isSelected(selection: SelectionNode): boolean {
    return (
      this.#condition(GraphQLSkipDirective, selection) !== true &&
      this.#condition(GraphQLIncludeDirective, selection) !== false
    );
  }

  /** The directive's `if`; undefined where it isn't there or can't be told. */
  #condition(directive: typeof GraphQLSkipDirective, selection: SelectionNode): unknown {
    try {
      return getDirectiveValues(directive, selection, this.#variables)?.['if'];
    } catch {
      return undefined;
    }
  }
}

type Field = GraphQLField<unknown, unknown>;

function hasFields(type: GraphQLNamedType) {
  return isObjectType(type) || isInterfaceType(type);
}

/** `edges` of a connection: their number is the `first` of the field that gave the connection. */
function isPagedField({ name, type }: Field, parent: GraphQLNamedType): boolean {
  return (
    PAGED_FIELDS.has(name) &&
    parent.name.endsWith('Connection') &&
    isListType(getNullableType(type))
  );
}

function defaultPrice(type: GraphQLNamedType): number {
  return isLeafType(type) ? DEFAULT_SCALAR_PRICE : DEFAULT_OBJECT_PRICE;
}

function amount(
  price: number | ((args: Arguments) => number) | undefined,
  args: Arguments,
): number | undefined {
  return typeof price === 'function' ? price(args) : price;
}

/** Of a connection without `first` the assumed length; `first: null` is the default of resolvers. */
function pageSize({ args: declared }: Field, { first }: Arguments): number {
  if (!declared.some(({ name }) => name === 'first')) return ASSUMED_LIST_LENGTH;
  return typeof first === 'number' ? Math.max(1, first) : DEFAULT_PAGE_SIZE;
}
