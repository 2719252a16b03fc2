import { createClient as createSocket } from 'graphql-ws/client';
import { ClientError, type Operation } from './client.ts';

/** What the API tells by itself, over one WebSocket that is open while somebody listens. */
export interface Subscriber {
  /** Each event's data until the server ends it or `signal` aborts. Throws a ClientError when it can't go on. */
  subscribe<Data, Variables extends Readonly<Record<string, unknown>>>(
    operation: Operation<Data, Variables>,
    variables: Variables,
    signal: AbortSignal,
  ): AsyncGenerator<Data, void, void>;
}

/** `url` begins with `ws`. The browser shows the session's cookie when it connects. */
export function createSubscriber(url: string): Subscriber {
  // Who listens knows what to do meanwhile, and tries again.
  const socket = createSocket({ url, retryAttempts: 0, lazyCloseTimeout: 1000 });
  return {
    async *subscribe<Data, Variables extends Readonly<Record<string, unknown>>>(
      operation: Operation<Data, Variables>,
      variables: Variables,
      signal: AbortSignal,
    ) {
      const events = socket.iterate({ query: operation.text, variables });
      const stop = (): void => void events.return?.();
      signal.addEventListener('abort', stop, { once: true });
      try {
        for await (const { data, errors } of events) {
          const [error] = errors ?? [];
          if (error !== undefined) throw new ClientError('BAD_RESPONSE', error.message);
          // The API keeps to its schema, which the types were made from.
          yield data as Data;
        }
      } catch (error) {
        if (error instanceof ClientError) throw error;
        throw new ClientError('UNREACHABLE', "The server can't be reached.", { cause: error });
      } finally {
        signal.removeEventListener('abort', stop);
      }
    },
  };
}
