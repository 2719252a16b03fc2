import type { Request, RequestHandler } from 'express';
import { GraphQLError } from 'graphql';
import { toGraphQLErrors, type FormatErrorOptions } from '../format-error.ts';
import {
  checkDocument,
  checkVariables,
  DOCUMENT_LIMITS,
  parseLimited,
  type DocumentLimits,
} from './document-limits.ts';

export interface DocumentGuardOptions extends FormatErrorOptions {
  readonly limits?: DocumentLimits;
}

/**
 * Refuses documents and variables out of proportion before Apollo sees them; use it between the body's parser and
 * Apollo. Apollo's plugins can refuse only after validation, and some of its rules compare every field with every other.
 * Mistakes in the syntax and requests without a document are left to Apollo, which has better words for them.
 */
export function createDocumentGuard(options: DocumentGuardOptions): RequestHandler {
  const { limits = DOCUMENT_LIMITS } = options;
  return (request, response, next) => {
    try {
      check(request, limits);
    } catch (error) {
      const errors = toGraphQLErrors([error], options);
      const isFault = errors.some(
        ({ extensions }) => extensions['code'] === 'INTERNAL_SERVER_ERROR',
      );
      response.status(isFault ? 500 : 400).json({ errors });
      return;
    }
    next();
  };
}

/** The body and the address: which of them Apollo reads depends on the method. */
function check(request: Request, limits: DocumentLimits): void {
  const body: unknown = request.body;
  for (const source of [body, request.query]) {
    if (!isRecord(source)) continue;
    const { query, variables } = source;
    if (isRecord(variables)) checkVariables(variables, limits);
    if (typeof query === 'string') checkText(query, limits);
  }
}

function checkText(query: string, limits: DocumentLimits): void {
  try {
    checkDocument(parseLimited(query, limits), limits);
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
