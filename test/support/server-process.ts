import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll } from '@jest/globals';
import { rootPath } from './bundles.ts';
import { sharelock } from './command-line.ts';

/** What `npm start` runs, ready. */
export interface ServerProcess {
  readonly process: ChildProcess;
  readonly url: string;
  /** The one-time sign-in link it printed. */
  readonly link: string;
  /** What it wrote to stderr so far. */
  stderr(): string;
  /** Its exit code, once it has ended. */
  readonly ended: Promise<number | null>;
  /** Itself and every process that it started, however far down. */
  family(): Promise<readonly number[]>;
}

type Environment = Readonly<Record<string, string>>;

const started: { readonly process: ChildProcess; readonly env: Environment }[] = [];
afterAll(async () => {
  for (const { process, env } of started.splice(0)) {
    if (process.exitCode === null && process.signalCode === null) {
      process.kill('SIGKILL');
      await once(process, 'exit');
    }
    await sharelock(['stop'], { env });
  }
});

/** Runs `sharelock start` until it says that it is ready. It is stopped after the test file, if it still runs. */
export async function startServer(
  args: readonly string[],
  env: Environment,
): Promise<ServerProcess> {
  const child = spawn(rootPath('bin/sharelock'), ['start', ...args], {
    ...{ cwd: '/', env: { ...process.env, ...env } },
  });
  started.push({ process: child, env });
  let [stdout, stderr] = ['', ''];
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = new Promise<number | null>((resolve) => {
    child.once('close', resolve);
  });
  await new Promise<void>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      if (stdout.includes('Ctrl-C')) resolve();
    });
    child.once('close', (code) => {
      reject(new Error(`It ended (${code ?? 'by a signal'}): ${stdout}${stderr}`));
    });
  });
  return {
    ...{ process: child, ended, stderr: () => stderr },
    url: /ready: +(http\S+)/.exec(stdout)?.[1] ?? '',
    link: /http\S+#token=\S+/.exec(stdout)?.[0] ?? '',
    family: () => familyOf(child.pid ?? 0),
  };
}

/** Which of them are still there after a moment: the compiler's helpers end when they find their parent gone. */
export async function survivorsOf(pids: readonly number[]): Promise<readonly number[]> {
  const deadline = performance.now() + 5000;
  while (pids.some(isAlive) && performance.now() < deadline) await pause(50);
  return pids.filter(isAlive);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function familyOf(pid: number): Promise<readonly number[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=']);
  const pairs = stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  const family = [pid];
  for (const one of family) {
    family.push(...pairs.flatMap(([child = 0, parent]) => (parent === one ? [child] : [])));
  }
  return family;
}
