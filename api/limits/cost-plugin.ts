import type { ApolloServerPlugin, BaseContext } from '@apollo/server';
import { withHttpStatus } from '../http-status.ts';
import type { CostAllowance, CostLimiter } from './cost-limiter.ts';
import { DOCUMENT_LIMITS, type DocumentLimits } from './document-limits.ts';
import { estimateCost } from './query-cost.ts';

export interface LimitedContext extends BaseContext {
  /** Whose allowance a request uses: the API key's id, or the address of a caller without one. */
  readonly limitKey: string;
}

export interface CostPluginOptions {
  readonly limiter: CostLimiter;
  readonly limits?: DocumentLimits;
  /** Told of every cost, also of what is refused for it. */
  readonly onCost?: (cost: number) => void;
}

/** What `extensions.cost` of an answer says. */
export interface CostReport {
  /** What the request costs. */
  readonly requested: number;
  /** The most that one request may cost. */
  readonly limit: number;
  readonly remaining: number;
  readonly resetSeconds: number;
}

/** Lets an operation run only within the document limits and its key's allowance. */
export function createCostPlugin<Context extends LimitedContext>({
  limiter,
  limits = DOCUMENT_LIMITS,
  onCost,
}: CostPluginOptions): ApolloServerPlugin<Context> {
  return {
    requestDidStart() {
      let report: CostReport | null = null;
      return Promise.resolve({
        async didResolveOperation({ schema, document, operation, request, contextValue }) {
          if (operation === undefined) return; // Apollo says so itself
          const { operationName, variables } = request;
          const key = contextValue.limitKey;
          try {
            const cost = estimateCost({ schema, document, operationName, variables, limits });
            onCost?.(cost);
            report = reportOf(cost, limiter.take(key, 0));
            report = reportOf(cost, limiter.charge(key, cost));
          } catch (error) {
            return Promise.reject(withHttpStatus(error));
          }
        },
        willSendResponse({ response: { body } }) {
          if (report !== null && body.kind === 'single') {
            const { extensions } = body.singleResult;
            body.singleResult.extensions = { ...extensions, cost: report };
          }
          return Promise.resolve();
        },
      });
    },
  };
}

function reportOf(requested: number, allowance: CostAllowance): CostReport {
  const { limit, remaining, resetSeconds } = allowance;
  return { requested, limit, remaining, resetSeconds };
}
