import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach } from '@jest/globals';
import express, { type RequestHandler } from 'express';
import { Closers } from '../../platform/closers.ts';

const closers = new Closers();
afterEach(() => closers.close());

/** Serves these on a free port until the test ends, and gives the address without a slash at its end. */
export async function serving(...handlers: readonly RequestHandler[]): Promise<string> {
  const app = express();
  app.use(...handlers);
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.add(async () => {
    server.close();
    server.closeAllConnections();
    if (server.listening) await once(server, 'close');
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
