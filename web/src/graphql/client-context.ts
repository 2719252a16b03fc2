import { createContext, useContext } from 'react';
import type { Client } from './client.ts';
import type { Subscriber } from './subscriber.ts';

/** All that the page can ask of the API. */
export type PageClient = Client & Subscriber;

const ClientContext = createContext<PageClient | null>(null);

export const ClientProvider = ClientContext.Provider;

export function useClient(): PageClient {
  const client = useContext(ClientContext);
  if (client === null) throw new Error('A ClientProvider has to be around this component.');
  return client;
}
