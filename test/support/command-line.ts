import { spawn, type ChildProcess } from 'node:child_process';
import { expect } from '@jest/globals';
import { rootPath } from './bundles.ts';

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  /** The folder the command runs in; another than the repository, unless said. */
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Called with the process and what it has written to stderr so far. */
  readonly onStderr?: (process: ChildProcess, text: string) => void;
  readonly executable?: string;
  /** Called with the process when it was started. */
  readonly onStart?: (process: ChildProcess) => void;
}

/** Runs `bin/sharelock` as a user would: a process of its own, from another folder. */
export function sharelock(
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const { cwd = '/', env = {}, onStderr, executable = rootPath('bin/sharelock') } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(executable, args, { cwd, env: { ...process.env, ...env } });
    options.onStart?.(child);
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
      onStderr?.(child, stderr);
    });
    child.on('error', reject);
    child.on('close', (code) => {
      resolve({ code, stdout, stderr });
    });
  });
}

/** Failed as it should: one line, the code in brackets, no stack trace, nothing on stdout. */
export function expectOneLine(
  { code, stdout, stderr }: CommandResult,
  exitCode: number,
  message: RegExp,
): void {
  expect(stderr).toMatch(message);
  expect(stderr).not.toMatch(/^\s+at /m);
  expect(stdout).toBe('');
  expect(code).toBe(exitCode);
  if (exitCode === 1) expect(stderr.trimEnd().split('\n')).toHaveLength(1);
}
