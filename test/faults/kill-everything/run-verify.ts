import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const EXECUTABLE = join(import.meta.dirname, '../../../bin/sharelock');

/** `sharelock verify`; gives what it found wrong. */
export async function runVerify(
  environment: Readonly<Record<string, string>>,
): Promise<readonly string[]> {
  const child = spawn(EXECUTABLE, ['verify', '--sample', '10'], {
    ...{ env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] },
  });
  let output = '';
  child.stdout.on('data', (text: Buffer) => (output += text.toString()));
  child.stderr.on('data', (text: Buffer) => (output += text.toString()));
  await once(child, 'close');
  if (child.exitCode === 0) return [];
  const wrong = output.split('\n').filter((line) => line.startsWith('WRONG'));
  return wrong.length > 0 ? wrong : [`verify: ${output.trim()}`];
}
