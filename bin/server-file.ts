import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Close } from '../platform/closers.ts';

const SERVER = z.object({ pid: z.int().positive(), url: z.url() });
export type ServerInfo = z.infer<typeof SERVER>;

/** Says in the data folder which process serves it, for `stop` and `sign-in`; the answer takes that back. */
export async function writeServerFile(dataFolder: string, url: string): Promise<Close> {
  const path = fileOf(dataFolder);
  await writeFile(path, JSON.stringify({ pid: process.pid, url } satisfies ServerInfo));
  return async () => {
    if ((await readServerFile(dataFolder))?.pid === process.pid) await rm(path, { force: true });
  };
}

/** The server of a data folder, if it answers; a file that a killed one left says nothing. */
export async function findServer(dataFolder: string): Promise<ServerInfo | null> {
  const server = await readServerFile(dataFolder);
  return server !== null && (await answers(server)) ? server : null;
}

async function readServerFile(dataFolder: string): Promise<ServerInfo | null> {
  try {
    return SERVER.parse(JSON.parse(await readFile(fileOf(dataFolder), 'utf8')));
  } catch {
    return null; // none, or half of one
  }
}

async function answers({ url }: ServerInfo): Promise<boolean> {
  try {
    const response = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(2000) });
    return response.ok;
  } catch {
    return false;
  }
}

function fileOf(dataFolder: string): string {
  return join(dataFolder, 'server.json');
}
