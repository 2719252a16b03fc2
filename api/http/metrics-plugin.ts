import type { ApolloServerPlugin } from '@apollo/server';
import { Kind, type OperationDefinitionNode } from 'graphql';
import type { Metrics } from './metrics.ts';

/** Measures how long operations take to execute, by root field, and counts errors by code. */
export function createMetricsPlugin(metrics: Metrics): ApolloServerPlugin {
  return {
    requestDidStart: () =>
      Promise.resolve({
        // Apollo comes here also when the document has no operation of the name that was asked for, whatever its types say.
        executionDidStart({ operation }: { readonly operation?: OperationDefinitionNode }) {
          if (operation === undefined) return Promise.resolve();
          const started = performance.now();
          const labels = { type: operation.operation, rootField: rootFieldOf(operation) };
          return Promise.resolve({
            executionDidEnd(error?: Error) {
              const seconds = (performance.now() - started) / 1_000;
              const outcome = error === undefined ? 'ok' : 'error';
              metrics.observeOperation({ ...labels, outcome, seconds });
              return Promise.resolve();
            },
          });
        },
        willSendResponse({ response: { body } }) {
          const errors = body.kind === 'single' ? (body.singleResult.errors ?? []) : [];
          for (const { extensions } of errors) metrics.countError(extensions?.['code']);
          return Promise.resolve();
        },
      }),
  };
}

/** The document has been validated, so that a field here is one of the schema's. */
export function rootFieldOf({ selectionSet: { selections } }: OperationDefinitionNode): string {
  const [only] = selections;
  if (selections.length !== 1 || only === undefined) return 'several';
  return only.kind === Kind.FIELD ? only.name.value : 'fragment';
}
