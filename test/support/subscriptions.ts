import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import type { TestApi } from './api.ts';

export interface Subscribed {
  /** `data` of each event. */
  readonly events: readonly unknown[];
  /** `extensions.code` of errors; `4403` and the like when the connection was refused. */
  readonly codes: readonly unknown[];
}

export interface SubscribeOptions {
  readonly variables?: Readonly<Record<string, unknown>>;
  /** Null: none is sent. Default: an ADMIN's of all collections. */
  readonly key?: string | null;
  /** Called with each event's `data`. */
  readonly onEvent?: (data: unknown) => void;
}

/** Follows a subscription over a connection of its own until it ends. */
export async function subscribed(
  api: TestApi,
  query: string,
  { variables = {}, key = api.adminKey, onEvent }: SubscribeOptions = {},
): Promise<Subscribed> {
  const client = createClient({
    url: `${api.url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: key === null ? {} : { authorization: `Bearer ${key}` },
    retryAttempts: 0,
  });
  const [events, codes]: [unknown[], unknown[]] = [[], []];
  try {
    await new Promise<void>((resolve) => {
      client.subscribe(
        { query, variables },
        {
          next: ({ data, errors }) => {
            if (data) {
              events.push(data);
              onEvent?.(data);
            }
            codes.push(...(errors ?? []).map(({ extensions }) => extensions?.['code']));
          },
          error: (error) => {
            codes.push(...codesOf(error));
            resolve();
          },
          complete: resolve,
        },
      );
    });
  } finally {
    await client.dispose();
  }
  return { events, codes };
}

function codesOf(error: unknown): readonly unknown[] {
  if (Array.isArray(error)) {
    return (error as { extensions?: { code?: unknown } }[]).map(
      ({ extensions }) => extensions?.code,
    );
  }
  const isClosing = typeof error === 'object' && error !== null && 'code' in error;
  return [isClosing ? error.code : String(error)];
}
