import type { Server } from 'node:http';
import {
  getOperationAST,
  NoSchemaIntrospectionCustomRule,
  OperationTypeNode,
  parse,
  specifiedRules,
  validate,
  type GraphQLError,
  type GraphQLFormattedError,
  type GraphQLSchema,
} from 'graphql';
import { CloseCode, type SubscribePayload } from 'graphql-ws';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';
import { PlatformError } from '../../platform/errors.ts';
import { isKeyInForce } from '../../store/api-keys.ts';
import { authenticate, unauthenticated } from '../auth/authenticate.ts';
import type { Viewer } from '../auth/viewer.ts';
import { createContext, type Services } from '../context.ts';
import { toGraphQLErrors, type FormatErrorOptions } from '../format-error.ts';
import type { CostLimiter } from '../limits/cost-limiter.ts';
import { limitsForSubscription } from '../limits/subscription-limits.ts';

export interface SubscriptionOptions {
  readonly httpServer: Server;
  readonly schema: GraphQLSchema;
  readonly services: Services;
  readonly limiter: CostLimiter;
  readonly errors: FormatErrorOptions;
  readonly isIntrospectable: boolean;
  readonly onCost: (cost: number) => void;
}

const MAX_MESSAGE_BYTES = 100_000;
/** At the same time on one connection; each asks the database twice a second. */
const MOST_SUBSCRIPTIONS = 20;

/** graphql-ws on `/graphql`. The key comes in `connectionParams.authorization`, or as the page's cookie. */
export function serveSubscriptions(options: SubscriptionOptions): { close(): Promise<void> } {
  const { httpServer, schema, services, limiter, errors, isIntrospectable, onCost } = options;
  const sockets = new WebSocketServer({
    ...{ server: httpServer, path: '/graphql', maxPayload: MAX_MESSAGE_BYTES },
  });
  const rules = isIntrospectable
    ? specifiedRules
    : [...specifiedRules, NoSchemaIntrospectionCustomRule];
  const stopping = new AbortController();
  const format = (found: readonly GraphQLError[]): GraphQLFormattedError[] =>
    toGraphQLErrors(found, errors).map((error) => error.toJSON());
  const viewers = new WeakMap<object, Viewer>();
  const viewerOf = (extra: object): Viewer => {
    const viewer = viewers.get(extra);
    if (viewer === undefined) throw new Error('An operation came before its connection.');
    return viewer;
  };
  const server = useServer<Readonly<Record<string, unknown>>, Record<string, unknown>>(
    {
      schema,
      validate: (against, document) => validate(against, document, rules),
      onConnect: async ({ connectionParams, extra }) => {
        const { headers } = extra.request;
        const authorization = authorizationOf(connectionParams) ?? headers.authorization;
        const shown = { ...headers, ...(authorization === undefined ? {} : { authorization }) };
        try {
          const { database, now } = services;
          viewers.set(extra, await authenticate(database.prisma, shown, now()));
          return true;
        } catch (error) {
          if (error instanceof PlatformError) return false;
          throw error;
        }
      },
      onSubscribe: async ({ extra, subscriptions }, _id, payload) => {
        const viewer = viewerOf(extra);
        if (!(await isKeyInForce(services.database.prisma, viewer.id))) {
          extra.socket.close(CloseCode.Forbidden, 'Forbidden');
          return toGraphQLErrors([unauthenticated('This key was revoked.')], errors);
        }
        if (Object.keys(subscriptions).length > MOST_SUBSCRIPTIONS) {
          return toGraphQLErrors([tooMany()], errors);
        }
        const refused = limitsForSubscription({
          ...{ schema, limiter, payload, onCost, limitKey: viewer.id },
          ...errors,
        });
        return refused ?? refuseOthers(payload, errors);
      },
      context: ({ extra }) => createContext(services, viewerOf(extra), stopping.signal),
      onError: (_context, _id, _payload, found) => format(found),
      onNext: (_context, _id, _payload, _args, result) =>
        result.errors === undefined
          ? undefined
          : { data: result.data ?? null, errors: format(result.errors) },
    },
    sockets,
  );
  return {
    close: async () => {
      stopping.abort();
      await server.dispose();
    },
  };
}

function authorizationOf(
  parameters: Readonly<Record<string, unknown>> | undefined,
): string | undefined {
  const value = parameters?.['authorization'] ?? parameters?.['Authorization'];
  return typeof value === 'string' ? value : undefined;
}

/** Queries and mutations go over HTTP, where each is authenticated and timed; a connection lives for days. */
function refuseOthers(
  { query, operationName }: SubscribePayload,
  errors: FormatErrorOptions,
): GraphQLError[] | undefined {
  const operation = getOperationAST(parse(query), operationName)?.operation;
  if (operation === OperationTypeNode.SUBSCRIPTION) return undefined;
  const message = 'A WebSocket carries subscriptions only: POST queries and mutations to /graphql.';
  return toGraphQLErrors([new PlatformError('BAD_USER_INPUT', message)], errors);
}

function tooMany(): PlatformError {
  const message = `A connection carries at most ${MOST_SUBSCRIPTIONS} subscriptions at a time.`;
  return new PlatformError('BAD_USER_INPUT', message);
}
