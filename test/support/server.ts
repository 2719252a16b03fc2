import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const PROGRAM = join(import.meta.dirname, '../../bin/sharelock');

export interface RunningServer {
  readonly url: string;
  /** Signs one browser in, once. */
  readonly signInLink: string;
  /** Everything it wrote so far. */
  output(): string;
  /** As Ctrl-C does. Gives the exit code. */
  stop(): Promise<number | null>;
}

export interface ServerOptions {
  readonly dataFolder: string;
  /** Absent: the embedded Postgres of the data folder. */
  readonly databaseUrl?: string;
}

/** The real server as `npm start` runs it, on a free port. Resolves when it is ready, the demo collection indexed. */
export async function startServer({
  dataFolder,
  databaseUrl = '',
}: ServerOptions): Promise<RunningServer> {
  const child = spawn(PROGRAM, ['start', '--port', '0'], {
    env: { ...process.env, DATA_DIR: dataFolder, DATABASE_URL: databaseUrl, HOST: '127.0.0.1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  const exit = once(child, 'exit').then(([code]) => code as number | null);
  const [url, signInLink] = await new Promise<readonly [string, string]>((resolve, reject) => {
    const read = (chunk: string): void => {
      text += chunk;
      const ready = /is ready: +(\S+)\nSign in[^\n]* (http\S+)\n/.exec(text);
      if (ready?.[1] !== undefined && ready[2] !== undefined) resolve([ready[1], ready[2]]);
    };
    child.stdout.setEncoding('utf8').on('data', read);
    child.stderr.setEncoding('utf8').on('data', read);
    child.once('error', reject);
    void exit.then((code) => {
      reject(new Error(`The server ended with ${String(code)} before it was ready:\n${text}`));
    });
  });
  return {
    url,
    signInLink,
    output: () => text,
    stop: () => {
      child.kill('SIGINT');
      return exit;
    },
  };
}
