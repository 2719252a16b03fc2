/** The command line's entry point: the only file of it that reads the environment and ends the process. */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CommanderError } from 'commander';
import { PlatformError } from '../platform/errors.ts';
import { createProgram } from './program.ts';

const DEFAULT_BUNDLE = fileURLToPath(new URL('../models/bundles/default', import.meta.url));

const EXIT_FAILED = 1;
const EXIT_WRONG_USE = 2;
/** What shells give a command that Ctrl-C ended: 128 + SIGINT. */
const EXIT_INTERRUPTED = 130;

const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    interruption.abort(new Error(signal));
  });
}
// `sharelock … | head` closes the pipe early; that is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : EXIT_FAILED);
});

const program = createProgram({
  bundle: resolve(process.env['MODEL_BUNDLE'] ?? DEFAULT_BUNDLE),
  signal: interruption.signal,
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  isTerminal: process.stderr.isTTY,
});

try {
  await program.parseAsync(process.argv);
} catch (error) {
  process.exitCode = report(error);
}

/** One line that says what would have worked; a stack trace only for what is our own bug. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_WRONG_USE;
  if (!(error instanceof PlatformError)) {
    console.error(error);
    return EXIT_FAILED;
  }
  if (error.code === 'ABORTED') {
    console.error('Stopped.');
    return EXIT_INTERRUPTED;
  }
  console.error(`error: ${error.message.replaceAll('\n', ' ')} [${error.code}]`);
  return EXIT_FAILED;
}
