import { GraphQLError, validate, type DocumentNode, type GraphQLSchema } from 'graphql';
import { restated, toGraphQLErrors, type FormatErrorOptions } from '../format-error.ts';
import type { CostLimiter } from './cost-limiter.ts';
import {
  checkDocument,
  DOCUMENT_LIMITS,
  parseLimited,
  type DocumentLimits,
} from './document-limits.ts';
import { estimateCost } from './query-cost.ts';

export interface SubscriptionQuestion extends FormatErrorOptions {
  readonly schema: GraphQLSchema;
  readonly limiter: CostLimiter;
  readonly limits?: DocumentLimits;
  /** Whose allowance it uses: the same key as over HTTP. */
  readonly limitKey: string;
  /** What graphql-ws hands to `onSubscribe`. */
  readonly payload: {
    readonly query: string;
    readonly operationName?: string | null | undefined;
    readonly variables?: Readonly<Record<string, unknown>> | null | undefined;
  };
  /** Told of every cost, also of what is refused for it. */
  readonly onCost?: (cost: number) => void;
}

/**
 * The same limits for an operation over graphql-ws: what its `onSubscribe` returns to refuse one, or nothing. Parses and
 * validates first, because a cost has no meaning without.
 */
export function limitsForSubscription(question: SubscriptionQuestion): GraphQLError[] | undefined {
  try {
    const errors = check(question);
    return errors.length === 0 ? undefined : toGraphQLErrors(errors, question);
  } catch (error) {
    return toGraphQLErrors([error], question);
  }
}

function check(question: SubscriptionQuestion): readonly GraphQLError[] {
  const { schema, limiter, limits = DOCUMENT_LIMITS, limitKey, payload, onCost } = question;
  const document = parseOrThrow(payload.query, limits);
  checkDocument(document, limits); // before validation, whose effort grows faster than the document
  const invalid = validate(schema, document).map((error) =>
    withCode(error, 'GRAPHQL_VALIDATION_FAILED'),
  );
  if (invalid.length > 0) return invalid;
  const { operationName, variables } = payload;
  const cost = estimateCost({ schema, document, operationName, variables, limits });
  onCost?.(cost);
  limiter.charge(limitKey, cost);
  return [];
}

function parseOrThrow(query: string, limits: DocumentLimits): DocumentNode {
  try {
    return parseLimited(query, limits);
  } catch (error) {
    throw error instanceof GraphQLError ? withCode(error, 'GRAPHQL_PARSE_FAILED') : error;
  }
}

/** Apollo's codes, so that clients meet the same ones on every transport. */
function withCode(error: GraphQLError, code: string): GraphQLError {
  return restated(error, error.message, { code });
}
